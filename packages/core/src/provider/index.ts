export { directUrlFor, guessProvider, type ProviderAssumption } from './guess-provider.ts'
export type { AssumedEndpoint, DirectUrl } from './provider-rules.ts'
