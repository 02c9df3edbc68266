import type { PoolguardFastifyOptions } from '@poolguard/fastify'
import poolguard from '@poolguard/fastify'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { onTestFinished } from 'vitest'
import { waitUntil } from '../harness/index.ts'

/** What the app's log has said so far, a line each. */
export interface Log {
  readonly lines: readonly string[]
  readonly options: NonNullable<FastifyServerOptions['logger']>
}

export function keepLog(): Log {
  const lines: string[] = []
  return { lines, options: { level: 'trace', stream: { write: (line: string) => void lines.push(line) } } }
}

/** An app with the plugin, closed when the test is over. */
export function appWith(options: PoolguardFastifyOptions, server: FastifyServerOptions = {}): FastifyInstance {
  const app = Fastify(server)
  onTestFinished(() => app.close())
  app.register(poolguard, options)
  return app
}

/** Serves over real HTTP. */
export async function serve(app: FastifyInstance): Promise<(path: string, init?: RequestInit) => Promise<Response>> {
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  return (path, init) => fetch(`${address}${path}`, init)
}

/** Until the pool has so many queries at the gate and so many callers that wait. */
export async function saturated(app: FastifyInstance, active: number, waiting: number): Promise<void> {
  const { pool } = app.poolguard
  await waitUntil(
    () => {
      const { stats } = pool.snapshot()
      return stats.active === active && stats.waiting === waiting
    },
    { what: `${active} active, ${waiting} waiting` },
  )
}
