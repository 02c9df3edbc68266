import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A test upstream that answers with the request it received. It does not keep the process alive. */
export async function startEcho(): Promise<string> {
  const server = createServer(async (request, response) => {
    const { method, url, headers } = request
    const body = await text(request)
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, headers, body }))
  })
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
