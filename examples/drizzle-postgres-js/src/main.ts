import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { describeTopology, HealthMonitor, installShutdown, isPoolTimeout, renderMetrics } from '@poolguard/core'
import { desc } from 'drizzle-orm'
import { db } from './db.ts'
import { note } from './schema.ts'

interface Answer {
  readonly status: number
  readonly body: unknown
}

const health = new HealthMonitor()

const routes: Readonly<Record<string, (request: IncomingMessage) => Promise<Answer> | Answer>> = {
  'GET /notes': async () => ({ status: 200, body: await db.select().from(note).orderBy(desc(note.id)).limit(20) }),
  'POST /notes': async (request) => {
    const [made] = await db
      .insert(note)
      .values({ text: await text(request) })
      .returning()
    return { status: 201, body: made }
  },
  'GET /healthz': () => ({ status: 200, body: 'ok' }),
  'GET /readyz': () => {
    const { status } = health.check()
    return { status: status === 'critical' ? 503 : 200, body: status }
  },
}

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    const { contentType, body } = renderMetrics(request.headers.accept)
    response.writeHead(200, { 'content-type': contentType }).end(body)
    return
  }
  const { status, body } = await answer(request)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})

async function answer(request: IncomingMessage): Promise<Answer> {
  const route = routes[`${request.method} ${request.url}`]
  if (!route) return { status: 404, body: { error: 'not found' } }
  try {
    return await route(request)
  } catch (error) {
    console.error(error)
    // Clients can retry a 503; they get no details of errors, which only the log has.
    return isPoolTimeout(error) ? { status: 503, body: { error: 'busy' } } : { status: 500, body: { error: 'failed' } }
  }
}

// Finish the requests in flight, then close the pool.
installShutdown({ before: () => new Promise<void>((resolve) => server.close(() => resolve())) })

const { topology } = await db.$client.ready()
server.listen(Number(process.env.PORT ?? 3000), () => {
  console.log(
    `http://localhost:${process.env.PORT ?? 3000}/notes, on ${topology ? describeTopology(topology) : 'a database'}`,
  )
})
