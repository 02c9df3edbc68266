import poolguard from '@poolguard/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { prisma } from './prisma.ts'

interface NewOrder {
  readonly customer: string
  readonly articles: readonly string[]
}

const newOrder = {
  type: 'object',
  required: ['customer', 'articles'],
  additionalProperties: false,
  properties: {
    customer: { type: 'string', minLength: 1 },
    articles: { type: 'array', minItems: 1, maxItems: 100, items: { type: 'string', minLength: 1 } },
  },
}

export async function makeApp(): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: process.env.LOG_LEVEL ?? 'info' } })

  // Register first, so that it closes last: /healthz, /readyz, /metrics, and with a token /admin/db-pool-stats.
  await app.register(poolguard, {
    metrics: true,
    closeOnShutdown: true,
    shedLoad: { waiters: 50, retryAfterSeconds: 1 },
    ...(process.env.ADMIN_TOKEN ? { admin: true, adminToken: process.env.ADMIN_TOKEN } : {}),
  })

  app.get('/orders', () => prisma.order.findMany({ include: { items: true }, orderBy: { id: 'desc' }, take: 20 }))

  app.post<{ Body: NewOrder }>('/orders', { schema: { body: newOrder } }, async (request, reply) => {
    const { customer, articles } = request.body
    // A nested write runs in one transaction, on one connection.
    const order = await prisma.order.create({
      data: { customer, items: { create: articles.map((article) => ({ article })) } },
      include: { items: true },
    })
    return reply.code(201).send(order)
  })

  return app
}
