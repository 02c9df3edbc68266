export { ConnectionString, type ConnectionStringParts, type HostAddress, type Parameter } from './connection-string.ts'
export { ConnectionStringError, type ConnectionStringPart } from './connection-string-error.ts'
export { parseConnectionString } from './parse.ts'
export { redact } from './redact.ts'
