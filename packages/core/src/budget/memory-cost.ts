/**
 * What a connection costs the server, in megabytes, before what its queries take (`work_mem` for each sort and hash): below
 * 2 with huge pages, up to 10 without.
 *
 * @see https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/ the lower figure
 * @see https://postgresql.eu/events/pgconfde2025/schedule/session/6297-postgresql-connections-memory-usage-how-much-why-and-when the upper one
 */
export const MEGABYTES_PER_CONNECTION: { readonly least: number; readonly most: number; readonly source: string } = {
  least: 2,
  most: 10,
  source: 'https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/',
}

/** What so many connections more cost the server, in words. */
export function describeMemoryCost(connections: number): string {
  const { least, most, source } = MEGABYTES_PER_CONNECTION
  const range = `${connections * least} to ${connections * most} MB`
  return `${connections} more ${connections === 1 ? 'costs' : 'cost'} the server ${range} before any query runs (${source})`
}
