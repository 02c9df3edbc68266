import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startProxy } from '../harness/index.ts'

/** A server that is far away. */
export interface Distant extends AsyncDisposable {
  readonly url: string
}

/**
 * Puts a proxy with a latency in front of a server, in a process of its own: in this process, it would take processor time from the clients
 * that are measured.
 *
 * @param latencyMillis delay in each direction.
 */
export async function startDistant(url: string, latencyMillis: number): Promise<Distant> {
  const child = fork(fileURLToPath(import.meta.url), [url, String(latencyMillis)])
  const [through] = (await once(child, 'message')) as [string]
  return { url: through, [Symbol.asyncDispose]: () => end(child) }
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill()
  await exited
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , url = '', latencyMillis] = process.argv
  const { hostname: host, port } = new URL(url)
  const proxy = await startProxy({ target: { host, port: Number(port) } })
  proxy.setLatency(Number(latencyMillis))
  process.on('disconnect', () => process.exit())
  process.send?.(proxy.urlFor(url))
}
