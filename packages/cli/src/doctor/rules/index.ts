import type { Rule } from '../rule.ts'
import { appWastesConnections } from './app-wastes-connections.ts'
import { blockingLock } from './blocking-lock.ts'
import { cannotConnect } from './cannot-connect.ts'
import { clientsExceedFiles } from './clients-exceed-files.ts'
import { clientsExceedPooler } from './clients-exceed-pooler.ts'
import { commentsInCommand } from './comments-in-command.ts'
import { databaseLimit } from './database-limit.ts'
import { idleInTransaction } from './idle-in-transaction.ts'
import { idleSessionsPileUp } from './idle-sessions-pile-up.ts'
import { longQuery } from './long-query.ts'
import { longTransaction } from './long-transaction.ts'
import { nearlyFull } from './nearly-full.ts'
import { noDirectUrl } from './no-direct-url.ts'
import { noIdleInTransactionTimeout } from './no-idle-in-transaction-timeout.ts'
import { poolPerCall } from './pool-per-call.ts'
import { poolPerReload } from './pool-per-reload.ts'
import { poolerClientsNearLimit } from './pooler-clients-near-limit.ts'
import { poolerClientsWait } from './pooler-clients-wait.ts'
import { poolerDatabaseLimit } from './pooler-database-limit.ts'
import { poolerDisabled } from './pooler-disabled.ts'
import { poolerExceedsLimits } from './pooler-exceeds-limits.ts'
import { poolerLoginFailing } from './pooler-login-failing.ts'
import { poolerPaused } from './pooler-paused.ts'
import { poolerPoolFull } from './pooler-pool-full.ts'
import { poolerUserLimit } from './pooler-user-limit.ts'
import { poolerVariablesIgnored } from './pooler-variables-ignored.ts'
import { poolerWithoutPreparedStatements } from './pooler-without-prepared-statements.ts'
import { poolsExceedCapacity } from './pools-exceed-capacity.ts'
import { poolsExceedCores } from './pools-exceed-cores.ts'
import { prepareOffWithoutNeed } from './prepare-off-without-need.ts'
import { preparedStatementsBreak } from './prepared-statements-break.ts'
import { preparedTransactions } from './prepared-transactions.ts'
import { replicationSlots } from './replication-slots.ts'
import { roleLimit } from './role-limit.ts'
import { serverFull } from './server-full.ts'
import { serverVariablesIgnored } from './server-variables-ignored.ts'
import { sqliteFile } from './sqlite-file.ts'
import { startupParametersRefused } from './startup-parameters-refused.ts'
import { statementMode } from './statement-mode.ts'
import { stuckAutovacuum } from './stuck-autovacuum.ts'
import { urlParametersRefused } from './url-parameters-refused.ts'
import { urlParametersWithoutEffect } from './url-parameters-without-effect.ts'

/** Critical rules first; among them, the failures that happen now. */
export const RULES: readonly Rule[] = [
  poolerPaused,
  poolerDisabled,
  poolerPoolFull,
  poolerDatabaseLimit,
  poolerUserLimit,
  poolerLoginFailing,
  serverFull,
  sqliteFile,
  cannotConnect,
  blockingLock,
  preparedTransactions,
  roleLimit,
  databaseLimit,
  poolerClientsNearLimit,
  nearlyFull,
  idleInTransaction,
  statementMode,
  poolsExceedCapacity,
  clientsExceedPooler,
  preparedStatementsBreak,
  commentsInCommand,
  startupParametersRefused,
  urlParametersRefused,
  noDirectUrl,
  appWastesConnections,
  poolsExceedCores,
  poolerClientsWait,
  urlParametersWithoutEffect,
  prepareOffWithoutNeed,
  poolerWithoutPreparedStatements,
  poolerExceedsLimits,
  clientsExceedFiles,
  poolerVariablesIgnored,
  serverVariablesIgnored,
  poolPerCall,
  poolPerReload,
  noIdleInTransactionTimeout,
  longTransaction,
  longQuery,
  stuckAutovacuum,
  replicationSlots,
  idleSessionsPileUp,
]
