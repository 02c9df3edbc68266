/** A Lambda function as docs/serverless.md shows it, and a runtime that asks for its invocations as AWS documents it. */
import { get } from 'node:http'
import { installShutdown } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}`
const pool = new GuardedPool({ url: process.env.DATABASE_URL, preset: 'serverless' })

if (process.env.EXTENSION) {
  installShutdown({ deadlineMillis: 300 })
  const registered = await fetch(`${api}/2020-01-01/extension/register`, {
    method: 'POST',
    headers: { 'Lambda-Extension-Name': 'close-pools' },
    body: JSON.stringify({ events: [] }),
  })
  const id = registered.headers.get('Lambda-Extension-Identifier') ?? ''
  get(`${api}/2020-01-01/extension/event/next`, { headers: { 'Lambda-Extension-Identifier': id } }).on(
    'error',
    () => {},
  )
}

async function handler({ closesIdle }: { closesIdle?: boolean }): Promise<{ answer: number }> {
  try {
    const { rows } = await pool.query<{ answer: number }>('select 40 + 2 as answer')
    return { answer: rows[0]?.answer ?? 0 }
  } finally {
    if (closesIdle) await pool.closeIdle()
  }
}

for (;;) {
  const next = await fetch(`${api}/2018-06-01/runtime/invocation/next`)
  const invocation = `${api}/2018-06-01/runtime/invocation/${next.headers.get('Lambda-Runtime-Aws-Request-Id')}`
  const post = (path: string, body: object) =>
    fetch(`${invocation}/${path}`, { method: 'POST', body: JSON.stringify(body) })
  const event = (await next.json()) as { closesIdle?: boolean }
  try {
    await post('response', { ...(await handler(event)), left: resources() })
  } catch (error) {
    await post('error', { errorMessage: String(error) })
  }
}

/** The sockets, timers and others that keep the process alive, but for its own output. */
function resources(): readonly string[] {
  return process.getActiveResourcesInfo().filter((resource) => resource !== 'PipeWrap')
}
