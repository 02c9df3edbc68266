import type { PoolSettings } from '@poolguard/core'
import { DEFAULT_POOL_SETTINGS } from '@poolguard/core/adapter'

/** With POOLGUARD_PIPELINE, every pool of the tests that does not set `pool.pipeline` has this value of it. */
const forced = process.env.POOLGUARD_PIPELINE as PoolSettings['pipeline'] | undefined
if (forced !== undefined) Object.assign(DEFAULT_POOL_SETTINGS, { pipeline: forced, shareWithinMillis: 1_000 })
