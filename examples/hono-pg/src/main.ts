import { serve } from '@hono/node-server'
import { installShutdown } from '@poolguard/core'
import { Hono } from 'hono'
import { addNote, listNotes } from './db.ts'
import { poolguard } from './poolguard.ts'

const app = new Hono()
app.use(poolguard.hono())

app.get('/notes', async (context) => context.json(await listNotes()))
app.post('/notes', async (context) => context.json(await addNote(await context.req.text()), 201))

const port = Number(process.env.PORT ?? 3000)
const server = serve({ fetch: app.fetch, port }, () => console.log(`http://localhost:${port}/notes`))

// Finish the requests in flight, then close the pool.
installShutdown({
  before: async () => {
    await poolguard.drain()
    await new Promise((resolve) => server.close(resolve))
  },
})
