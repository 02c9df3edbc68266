/**
 * A program without error listeners that loses its connections in every phase. It ends by itself and prints
 * each phase; pg.Pool would have ended it with the first loss.
 */
import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'

const [url, adminUrl] = process.argv.slice(2) as [string, string]
const admin = new pg.Client(adminUrl)
await admin.connect()
const terminate = () => admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)
const settled = () => new Promise((resolve) => setTimeout(resolve, 50))
const phases: string[] = []
const pool = new GuardedPool({ url, max: 2 })

await Promise.all([pool.query('select 1'), pool.query('select 1')])
await terminate()
await settled()
phases.push('idle')

const client = await pool.connect()
await terminate()
await settled()
phases.push('checked out')

const inTransaction = await pool.connect()
await inTransaction.query('begin')
await terminate()
await settled()
await inTransaction.query('select 1').catch(() => {})
inTransaction.release()
phases.push('in a transaction')

const running = pool.query('select pg_sleep(10)').catch(() => {})
await settled()
await terminate()
await running
phases.push('in a query')

for (let i = 0; i < 5; i++) {
  const connecting = Promise.allSettled([pool.query('select 1'), pool.query('select 1'), terminate(), terminate()])
  await connecting
}
phases.push('connecting')

await pool.query('select 1')
const ended = pool.end()
await terminate()
client.release()
await ended
phases.push('at the end')

await admin.end()
console.log(phases.join(', '))
