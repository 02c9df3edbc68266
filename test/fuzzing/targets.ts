import { driversTarget } from './connection-strings/drivers-target.ts'
import { libpqTarget } from './connection-strings/libpq-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'

/** All targets of `pnpm fuzz`. */
export const TARGETS: readonly FuzzTarget[] = [libpqTarget, driversTarget]
