import proxy from '@fastify/http-proxy'
import poolguard from '@poolguard/fastify'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { countRequest } from './quota.ts'

const KEY_HEADER = 'x-api-key'
const DAY_MILLIS = 24 * 60 * 60 * 1_000

/** @param upstream the URL that receives requests within their quota. */
export async function makeApp(upstream: string): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'info' } })

  // Register first, so that it closes last: /healthz, /readyz, and with a token /admin/db-pool-stats. It also replies 503 if no
  // connection is available in time.
  await app.register(poolguard, {
    closeOnShutdown: true,
    shedLoad: { waiters: 500 },
    ...(process.env.ADMIN_TOKEN ? { admin: true, adminToken: process.env.ADMIN_TOKEN } : {}),
  })

  await app.register(proxy, {
    upstream,
    preHandler: enforceQuota,
    // Do not pass the client's key on to the upstream.
    replyOptions: { rewriteRequestHeaders: (_request, { [KEY_HEADER]: _key, ...headers }) => headers },
  })

  return app
}

async function enforceQuota(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const now = new Date()
  const key = request.headers[KEY_HEADER]
  const quota = typeof key === 'string' ? await countRequest(key, now.toISOString().slice(0, 10)) : undefined
  if (!quota) return reply.code(401).send({ error: `no valid ${KEY_HEADER}` })
  reply.headers({ 'x-ratelimit-limit': quota.perDay, 'x-ratelimit-remaining': quota.remaining })
  if (quota.granted) return undefined
  const secondsToMidnight = Math.ceil((DAY_MILLIS - (now.getTime() % DAY_MILLIS)) / 1_000)
  return reply.code(429).header('retry-after', secondsToMidnight).send({ error: 'the quota of the day is used up' })
}
