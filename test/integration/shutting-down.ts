/** A process under load that closes its pools when it gets a signal to stop, and reports the outcome of its work. */
import { installShutdown } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

const [url = '', mode = 'graceful'] = process.argv.slice(2)
const pool = new GuardedPool({ url, max: 2, name: 'shutting down' })
const client = await pool.connect()
const forEver = () => new Promise<never>(() => setInterval(() => {}, 1_000))

installShutdown({
  deadlineMillis: mode === 'stuck' ? 200 : 10_000,
  before: () => {
    console.log('stopping')
    if (mode === 'stubborn') return forEver()
    void work(mode === 'stuck' ? 60 : 0.3)
    return undefined
  },
})
console.log('working')

async function work(seconds: number): Promise<void> {
  try {
    await client.query(`select pg_sleep(${seconds})`)
    console.log('finished')
  } catch {
    console.log('cut off')
  }
  client.release()
  await pool.query('select 1').catch(({ code }) => console.log(code))
}
