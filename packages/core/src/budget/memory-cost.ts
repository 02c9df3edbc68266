/**
 * Memory of one connection on the server in megabytes, not counting the memory of its queries (`work_mem` for each sort
 * and hash): less than 2 with huge pages, up to 10 without.
 *
 * @see https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/ for the lower figure
 * @see https://postgresql.eu/events/pgconfde2025/schedule/session/6297-postgresql-connections-memory-usage-how-much-why-and-when for the upper figure
 */
export const MEGABYTES_PER_CONNECTION: { readonly least: number; readonly most: number; readonly source: string } = {
  least: 2,
  most: 10,
  source: 'https://blog.anarazel.de/2020/10/07/measuring-the-memory-overhead-of-a-postgres-connection/',
}

/** Describes how much memory additional connections cost the server. */
export function describeMemoryCost(connections: number): string {
  const { least, most, source } = MEGABYTES_PER_CONNECTION
  const range = `${connections * least} to ${connections * most} MB`
  return `${connections} more ${connections === 1 ? 'costs' : 'cost'} the server ${range} before any query runs (${source})`
}
