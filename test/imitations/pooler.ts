import { connect, createServer, type Socket } from 'node:net'
import type { PostgresServer } from '../harness/index.ts'
import {
  dataRow,
  describeRows,
  type ImitatedRow,
  isSslRequest,
  MessageReader,
  message,
  startupParameters,
} from './protocol.ts'

export interface Refusal {
  readonly code: string
  readonly message: string
}

export interface ImitatedPoolerOptions {
  readonly server: PostgresServer
  /** Whether it invents the pid that it reports at login, as poolers do that share server connections. */
  readonly inventsPid: boolean
  /** The error with which it refuses a login with these startup parameters. It drops those that it does not know. */
  readonly refuses?: (parameters: ReadonlyMap<string, string>) => Refusal | undefined
  /** Its own answer to a text of the simple protocol. */
  readonly answers?: (text: string) => ImitatedRow | undefined
}

export interface ImitatedPooler extends AsyncDisposable {
  readonly url: string
  /** The texts of the simple protocol that clients have sent. */
  readonly texts: readonly string[]
}

/** The parameters that PostgreSQL knows and the tests use. */
const KNOWN_PARAMETERS = ['user', 'database', 'client_encoding', 'application_name']
const INVENTED_PID = 4_000_000

/** Not a pooler, but an imitation of what a client can see of one, in front of a real server. Each client has a server connection. */
export async function imitatePooler(options: ImitatedPoolerOptions): Promise<ImitatedPooler> {
  const { server } = options
  const texts: string[] = []
  const sockets = new Set<Socket>()
  const listener = createServer((client) => {
    const upstream = connect({ host: server.host, port: server.port, noDelay: true })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    client.setNoDelay(true).on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    relay(client, upstream, options, texts)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const url = new URL(server.url)
  url.port = String(port)
  return {
    url: url.href,
    texts,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function relay(client: Socket, upstream: Socket, options: ImitatedPoolerOptions, texts: string[]): void {
  const { inventsPid, refuses, answers } = options
  let hasStarted = false
  const fromClient = new MessageReader((letter, whole) => {
    if (letter === '') {
      if (isSslRequest(whole)) return void client.write('N')
      hasStarted = true
      const parameters = startupParameters(whole)
      const refusal = refuses?.(parameters)
      if (refusal) client.end(message('E', `SFATAL\0VFATAL\0C${refusal.code}\0M${refusal.message}\0\0`))
      else upstream.write(startupOf(parameters))
      return
    }
    const text = letter === 'Q' ? whole.toString('utf8', 5, whole.length - 1) : undefined
    if (text !== undefined) texts.push(text)
    const answer = text === undefined ? undefined : answers?.(text)
    if (answer) client.write(answerWith(answer))
    else upstream.write(whole)
  })
  client.on('data', (data) => fromClient.read(data, () => hasStarted))
  const fromServer = new MessageReader((letter, whole) => {
    if (letter === 'K' && inventsPid) whole.writeInt32BE(INVENTED_PID + whole.readInt32BE(5), 5)
    client.write(whole)
  })
  upstream.on('data', (data) => fromServer.read(data, () => true))
}

function startupOf(parameters: ReadonlyMap<string, string>): Buffer {
  const known = [...parameters].filter(([name]) => KNOWN_PARAMETERS.includes(name))
  const body = Buffer.from(`${known.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, body])
}

function answerWith(row: ImitatedRow): Buffer {
  return Buffer.concat([describeRows([row]), dataRow(row), message('C', 'SELECT 1\0'), message('Z', 'I')])
}
