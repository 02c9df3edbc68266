/** A process of the crowd: many callers, each of which has a connection to PgBouncer of its own, until a message comes. */
import { GuardedPool } from '@poolguard/pg'
import type { CrowdReport } from './crowd.ts'

const [url = '', clients = ''] = process.argv.slice(2)
const pool = new GuardedPool({ url, pool: { min: Number(clients), max: Number(clients) } })
const failures: string[] = []
let answered = 0
let stopping = false

async function ask(n: number): Promise<void> {
  try {
    const { rows } = await pool.query('select $1::int as n, count(*) from generate_series(1, 100)', [n])
    if (rows[0]?.n !== n) failures.push(`an answer of another caller: ${rows[0]?.n} instead of ${n}`)
    answered++
  } catch (error) {
    failures.push(String(error))
  }
}

const callers = Array.from({ length: Number(clients) }, async (_, n) => {
  while (!stopping) await ask(n)
})
process.once('message', async () => {
  stopping = true
  await Promise.all(callers)
  const { opened } = pool.snapshot().stats
  await pool.end()
  process.send?.({ answered, failures, opened } satisfies CrowdReport)
  process.disconnect()
})
