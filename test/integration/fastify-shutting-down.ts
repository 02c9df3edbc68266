/** An app under load that closes when it gets a signal to stop. */
import poolguard from '@poolguard/fastify'
import Fastify from 'fastify'

const [url = ''] = process.argv.slice(2)
const app = Fastify()
app.register(poolguard, { pool: { url, name: 'shutting down', max: 2 } })
app.get('/work', async () => {
  console.log('serving')
  await app.poolguard.pool.query('select pg_sleep(0.05)')
  return (await app.poolguard.pool.query('select 1 as one')).rows
})
process.once('SIGTERM', async () => {
  await app.close()
  console.log('closed')
})
console.log(`listening at ${await app.listen({ host: '127.0.0.1', port: 0 })}`)
