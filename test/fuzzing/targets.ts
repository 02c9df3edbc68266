import { driversTarget } from './connection-strings/drivers-target.ts'
import { libpqTarget } from './connection-strings/libpq-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { secretsTarget } from './secrets/secrets-target.ts'
import { engineTarget } from './simulation/engine-target.ts'
import { fleetTarget } from './simulation/fleet-target.ts'
import { guardTarget } from './simulation/guard-target.ts'
import { pipelineTarget } from './simulation/pipeline-target.ts'
import { readsTarget } from './statements/reads-target.ts'
import { sessionTarget } from './statements/session-target.ts'
import { tokensTarget } from './statements/tokens-target.ts'

/** All targets of `pnpm fuzz`. */
export const TARGETS: readonly FuzzTarget[] = [
  libpqTarget,
  driversTarget,
  tokensTarget,
  readsTarget,
  sessionTarget,
  secretsTarget,
  engineTarget,
  fleetTarget,
  guardTarget,
  pipelineTarget,
]
