import { text } from 'node:stream/consumers'
import Router from '@koa/router'
import { installShutdown } from '@poolguard/core'
import Koa from 'koa'
import { addNote, listNotes } from './db.ts'
import { poolguard } from './poolguard.ts'

const app = new Koa()
app.use(poolguard.koa())

const router = new Router()
router.get('/notes', async (context) => {
  context.body = await listNotes()
})
router.post('/notes', async (context) => {
  context.status = 201
  context.body = await addNote(await text(context.req))
})
app.use(router.routes())

const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, () => console.log(`http://localhost:${port}/notes`))

// Finish the requests in flight, then close the pool.
installShutdown({
  before: async () => {
    await poolguard.drain()
    await server[Symbol.asyncDispose]()
  },
})
