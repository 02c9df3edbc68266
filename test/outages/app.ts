import pg from 'pg'

/** What an app process of a staged outage does with its connections. */
export interface AppOrders {
  readonly url: string
  readonly connections: number
  /** Run on each connection, and waited for. */
  readonly statements: readonly string[]
  /** Run on each connection afterwards, and not waited for. */
  readonly last?: string
  readonly name?: string
}

// Without an application_name, as most apps.
const orders: AppOrders = JSON.parse(process.argv[2] ?? '')
const clients = Array.from(
  { length: orders.connections },
  () => new pg.Client({ connectionString: orders.url, ...(orders.name && { application_name: orders.name }) }),
)
for (const client of clients) {
  // Its session is going to be ended.
  client.on('error', () => {})
  await client.connect()
  for (const statement of orders.statements) await client.query(statement)
  if (orders.last) client.query(orders.last).catch(() => {})
}
process.send?.('ready')
process.once('disconnect', () => process.exit())
setInterval(() => {}, 60_000)
