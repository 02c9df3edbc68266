export {
  type ClassifyOptions,
  classifyConnectFailure,
  isServerAbsent,
  isWrongPassword,
} from './classify-connect-failure.ts'
export { adviseConnectFailure, isKilledByPooler } from './connect-advice.ts'
export { type ConnectCause, findConnectCause } from './connect-cause.ts'
export { isPoolTimeout, isTooManyConnections, retryAfterMillis } from './error-shapes.ts'
export { isPasswordFunctionError, markPasswordFunctionError } from './password-function.ts'
export { type ErrorFacts, isFatal, isServerError, readError } from './read-error.ts'
export { type AskSession, SessionHealth, SharedHealth } from './session-health.ts'
