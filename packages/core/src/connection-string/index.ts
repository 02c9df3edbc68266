export { addService } from './add-service.ts'
export { ConnectionString } from './connection-string.ts'
export {
  ConnectionStringError,
  type ConnectionStringErrorOptions,
  type ConnectionStringPart,
} from './connection-string-error.ts'
export type { ConnectionStringParts, HostAddress, UrlParameter } from './connection-string-parts.ts'
export { describeAddress } from './describe-address.ts'
export { hiddenTexts } from './hidden-texts.ts'
export { normalizeTarget } from './normalize-target.ts'
export { isKnownParameter, isTailOfSecret } from './parameter-kinds.ts'
export { parseConnectionString } from './parse.ts'
export { parseService } from './parse-service.ts'
export { shownDatabase, shownHost, shownUser } from './shown-parts.ts'
