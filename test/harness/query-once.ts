import { Client, type QueryResultRow } from 'pg'

/**
 * One statement on a connection of its own, closed afterwards: between two questions the harness holds no connection,
 * so that what a test counts is only its own. Without parameters it goes by the simple protocol, which is all that
 * PgBouncer's console understands.
 */
export async function queryOnce<Row extends QueryResultRow>(
  url: string,
  sql: string,
  params?: readonly unknown[],
): Promise<Row[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  // A connection that breaks rejects the query as well; without a listener it would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
    const result = params ? await client.query<Row>(sql, [...params]) : await client.query<Row>(sql)
    return result.rows
  } finally {
    await client.end().catch(() => {})
  }
}
