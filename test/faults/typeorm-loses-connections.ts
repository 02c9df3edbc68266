/**
 * A program that loses the connections of its DataSource in every phase. It ends by itself and prints what it went
 * through.
 */
import { guardDataSource } from '@poolguard/typeorm'
import pg from 'pg'
import { DataSource } from 'typeorm'

const [url, adminUrl] = process.argv.slice(2) as [string, string]
const admin = new pg.Client(adminUrl)
await admin.connect()
const phases: string[] = []
const dataSource = new DataSource(
  guardDataSource({ type: 'postgres', url, poolErrorHandler: () => {} }, { pool: { max: 2 } }),
)
await dataSource.initialize()

/** Ends all connections of the app, and waits until the server has none and the news has arrived. */
async function terminate(): Promise<void> {
  await admin.query(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'app'`)
  await new Promise((resolve) => setTimeout(resolve, 50))
}

async function works(phase: string): Promise<void> {
  const [{ one }] = await dataSource.query('select 1 as one')
  if (one === 1) phases.push(phase)
}

await Promise.all([dataSource.query('select 1'), dataSource.query('select 1')])
await terminate()
await works('idle')

await dataSource
  .transaction(async (manager) => {
    await manager.query('select 1')
    await terminate()
    await manager.query('select 2')
  })
  .catch(() => {})
await works('in a transaction')

const running = dataSource.query('select pg_sleep(10)').catch(() => {})
await new Promise((resolve) => setTimeout(resolve, 50))
await terminate()
await running
await works('in a query')

const runner = dataSource.createQueryRunner()
await runner.startTransaction()
await terminate()
await runner.rollbackTransaction().catch(() => {})
await runner.release()
await works('manual transaction')

const left = dataSource.createQueryRunner()
await left.startTransaction()
const destroyed = dataSource.destroy()
await terminate()
await destroyed
phases.push('at the end')

await admin.end()
console.log(phases.join(', '))
