/** A service as docs/serverless.md shows it for Cloud Run. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { installShutdown } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

const pool = new GuardedPool({ url: process.env.DATABASE_URL })

const server = createServer(async ({ url }, response) => {
  const text = url === '/slow' ? 'select pg_advisory_xact_lock_shared(7), 42 as answer' : 'select 42 as answer'
  try {
    const { rows } = await pool.query<{ answer: number }>(text)
    response.end(String(rows[0]?.answer))
  } catch (error) {
    response.writeHead(500).end(String(error))
  }
}).listen(Number(process.env.PORT ?? 0))

installShutdown({ before: () => server[Symbol.asyncDispose](), deadlineMillis: 8_000 })
await once(server, 'listening')
console.log(`port ${(server.address() as AddressInfo).port}`)
