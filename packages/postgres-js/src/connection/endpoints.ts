import type { ParsedOptions } from '../internals.ts'
import type { Endpoint } from './dial.ts'

/** The hosts of a `postgres()`, in the order given. */
export function endpointsOf({ host, port, path }: ParsedOptions): readonly Endpoint[] {
  return host.map((name, index) => ({ host: name, port: port[index] ?? port[0] ?? 5432, path: path || undefined }))
}
