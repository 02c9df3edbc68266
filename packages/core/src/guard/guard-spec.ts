import type { ConnectionString } from '../connection-string/index.ts'
import type { RewriteWarning } from '../drivers/index.ts'
import type { KnownSecrets } from '../known-secrets.ts'
import type { HostPlan } from './hosts/host-plan.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'

/** The specification of a pool, derived from the user's options. */
export interface GuardSpec {
  readonly name: string
  /** The connection string with its password hidden. */
  readonly target: string
  readonly options: PoolguardOptions
  /** Warnings about the connection string, emitted on first use of the pool. */
  readonly warnings?: readonly RewriteWarning[]
  /** Why statements must not be prepared automatically, regardless of the topology; undefined if they may. */
  readonly againstPreparing?: string | undefined
  /** Why the driver cannot send statements behind others on a connection in use, or the options forbid it; undefined if it can. */
  readonly againstPipelining?: string | undefined
  /** Secrets to hide in connection errors. */
  readonly secrets?: KnownSecrets | undefined
  /** Used to guess the provider until discovery has finished. */
  readonly connection?: ConnectionString | undefined
  /** How the pool chooses its server, if it has a choice. */
  readonly hosts?: HostPlan | undefined
}
