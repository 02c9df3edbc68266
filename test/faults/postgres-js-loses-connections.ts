/**
 * A program without error listeners that loses its connections in every phase. It ends by itself and prints
 * each phase; postgres.js would have ended it, or hung, with a reserved connection (porsager/postgres#1208).
 */
import assert from 'node:assert'
import { setTimeout as pause } from 'node:timers/promises'
import { guardPostgres } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { waitUntil } from '../harness/wait-until.ts'

const [url, adminUrl] = process.argv.slice(2) as [string, string]
const admin = postgres(adminUrl, { max: 1, fetch_types: false, onnotice: () => {} })
const terminate = () => admin`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`
const settled = () => pause(50)
const sleeps = () =>
  waitUntil(
    async () =>
      (await admin`select from pg_stat_activity where usename = 'app' and state = 'active' and query like '%pg_sleep%'`)
        .length > 0,
    { what: 'the server runs a statement that sleeps' },
  )
const phases: string[] = []
const sql = guardPostgres(url, { max: 2 })
await sql.unsafe('create table written (phase text)')

await Promise.all([sql`select 1`, sql`select 1`])
await terminate()
await settled()
phases.push('idle')

const running = sql`select pg_sleep(10)`.catch((error: Error) => error)
await sleeps()
await terminate()
// The reset may overtake the server's message.
assert.match(String(await running), /terminating connection|ECONNRESET/)
phases.push('in a query')

const statements: string[] = []
const bodyDone = Promise.withResolvers<void>()
const transaction = sql.begin(async (tx) => {
  await tx`insert into written values ('transaction')`
  await terminate()
  await settled()
  for (const _ of [1, 2]) {
    await tx`insert into written values ('after the loss')`.catch((error: Error) => statements.push(error.message))
  }
  void tx`insert into written values ('not awaited')`.execute()
  await tx.savepoint((point) => point`insert into written values ('savepoint')`).finally(bodyDone.resolve)
})
await assert.rejects(transaction)
await bodyDone.promise
assert.equal(statements.length, 2)
assert.deepEqual([...(await sql`select * from written`)], [])
phases.push('in a transaction')

const floating = sql.begin(async (tx) => {
  void tx`select pg_sleep(10)`.execute()
  await sleeps()
  await terminate()
  await settled()
  return 'done'
})
await assert.rejects(floating)
phases.push('in a query of a transaction')

const reserved = await sql.reserve()
await reserved`select 1`
await terminate()
await settled()
await assert.rejects(reserved`select 1`)
await assert.rejects(reserved`select ${1}::int`)
reserved.release()
reserved.release()
phases.push('reserved')

const cursor = (async () => {
  for await (const _ of sql`select generate_series(1, 100)`.cursor(10)) {
    await terminate()
    await settled()
  }
})()
await assert.rejects(cursor)
await assert.rejects(
  sql`select generate_series(1, 100)`.cursor(10, async () => {
    await terminate()
    await settled()
  }),
)
await settled()
phases.push('cursor')

const copyIn = await sql`copy written from stdin`.writable()
copyIn.write('half\n')
await settled()
await terminate()
await settled()
copyIn.write('more\n', () => {})
const copyOut = await sql`copy (select generate_series(1, 1000000)) to stdout`.readable()
await terminate()
await settled()
copyOut.destroy()
phases.push('copy')

for (let i = 0; i < 5; i++) {
  await Promise.allSettled([sql`select 1`, sql`select 1`, terminate(), terminate()])
  const late = sql`select 1`
  late.cancel()
  await Promise.allSettled([
    late,
    terminate(),
    sql.begin((tx) => tx`select 1`),
    sql.reserve().then((one) => one.release()),
  ])
}
await settled()
phases.push('connecting')

const sleeping = sql`select pg_sleep(10)`
sleeping.execute()
await sleeps()
sleeping.cancel()
await Promise.allSettled([sleeping, terminate()])
await settled()
phases.push('cancelling')

await sql`select 1`
const kept = await sql.reserve()
const ended = sql.end()
await terminate()
await ended
kept.release()
phases.push('at the end')

await admin.end()
console.log(phases.join(', '))
