/** A Nest app that serves requests until a signal stops it, and tells where, and when four of them wait for a connection. */
import { snapshotPools } from '@poolguard/core'
import { Poolguard, PoolguardModule } from '@poolguard/nestjs'
import { waitUntil } from '../harness/index.ts'
import { type Platform, startApp, WorkController } from './nestjs-app.ts'

const [url = '', platform = 'express'] = process.argv.slice(2)
const pools = PoolguardModule.forRoot({ url, name: 'work', pool: { max: 2 } })
const running = await startApp(platform as Platform, { imports: [pools], controllers: [WorkController] }, (nest) =>
  nest.enableShutdownHooks(),
)
// Looking at the database takes a connection as well.
await running.app.get(Poolguard).pool().ready()
console.log(running.url)
await waitUntil(() => snapshotPools().some(({ stats }) => stats.active === 2 && stats.waiting === 4), {
  what: 'four requests wait',
})
console.log('busy')
