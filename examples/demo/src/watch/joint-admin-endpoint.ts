import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const PATH = '/admin/db-pool-stats'
const TIMEOUT_MILLIS = 3_000

/** An HTTP server on 127.0.0.1. */
export interface JointAdminEndpoint extends AsyncDisposable {
  readonly address: string
}

/**
 * The admin endpoints of several processes as one, which has the pools of all: the processes come and go, while its address stays.
 *
 * @param ports asked for with each request.
 */
export async function serveJointAdminEndpoint(ports: () => readonly number[]): Promise<JointAdminEndpoint> {
  const server = createServer((request, response) => {
    if (request.url !== PATH) return reply(response, 404, {})
    const { authorization = '' } = request.headers
    poolsOf(ports(), authorization).then(
      (pools) => reply(response, pools ? 200 : 401, { pools }),
      () => response.destroy(),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** Undefined if a process does not accept the token. A process that does not answer is about to end, and has no pools. */
async function poolsOf(ports: readonly number[], authorization: string): Promise<readonly unknown[] | undefined> {
  const answers = await Promise.all(ports.map((port) => ask(port, authorization).catch(() => undefined)))
  const found = answers.filter((answer) => answer !== undefined)
  return found.every(({ status }) => status === 200) ? found.flatMap(({ pools }) => pools) : undefined
}

async function ask(port: number, authorization: string): Promise<{ status: number; pools: readonly unknown[] }> {
  const signal = AbortSignal.timeout(TIMEOUT_MILLIS)
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, { headers: { authorization }, signal })
  const { pools = [] } = (await response.json()) as { pools?: readonly unknown[] }
  return { status: response.status, pools }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
