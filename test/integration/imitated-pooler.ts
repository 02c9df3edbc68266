import { connect, createServer, type Socket } from 'node:net'
import type { PostgresServer } from '../harness/index.ts'

export interface ImitatedPoolerOptions {
  readonly server: PostgresServer
  /** Whether it invents the pid that it reports at login, as poolers do that share server connections. */
  readonly inventsPid: boolean
  /** Startup parameters that it rejects, with the message. Every other pooler drops the parameters that it does not know. */
  readonly rejects?: (parameter: string) => string | undefined
  /** Its own answer to a text of the simple protocol: the name and the value of one column. */
  readonly answers?: (text: string) => readonly [name: string, value: string] | undefined
}

export interface ImitatedPooler extends AsyncDisposable {
  readonly url: string
  /** The texts of the simple protocol that clients have sent. */
  readonly texts: readonly string[]
}

/** The parameters that PostgreSQL knows and the tests use. */
const KNOWN_PARAMETERS = ['user', 'database', 'client_encoding', 'application_name']
const SSL_REQUEST = 80_877_103
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
  const { inventsPid, rejects, answers } = options
  let hasStarted = false
  const fromClient = new MessageReader((letter, message) => {
    if (letter === '') {
      if (message.readInt32BE(4) === SSL_REQUEST) return void client.write('N')
      hasStarted = true
      const parameters = readParameters(message)
      const rejection = [...parameters.keys()].map((each) => rejects?.(each)).find((each) => each !== undefined)
      if (rejection === undefined) upstream.write(startupOf(parameters))
      else client.end(messageOf('E', Buffer.from(`SFATAL\0VFATAL\0C0A000\0M${rejection}\0\0`)))
      return
    }
    const text = letter === 'Q' ? message.toString('utf8', 5, message.length - 1) : undefined
    if (text !== undefined) texts.push(text)
    const answer = text === undefined ? undefined : answers?.(text)
    if (answer) client.write(rowOf(...answer))
    else upstream.write(message)
  })
  client.on('data', (data) => fromClient.read(data, () => hasStarted))
  const fromServer = new MessageReader((letter, message) => {
    if (letter === 'K' && inventsPid) message.writeInt32BE(INVENTED_PID + message.readInt32BE(5), 5)
    client.write(message)
  })
  upstream.on('data', (data) => fromServer.read(data, () => true))
}

/** Splits a stream into messages. Those before the login have no letter. */
class MessageReader {
  readonly #handle: (letter: string, message: Buffer) => void
  #received = Buffer.alloc(0)

  constructor(handle: (letter: string, message: Buffer) => void) {
    this.#handle = handle
  }

  read(data: Buffer, hasLetter: () => boolean): void {
    this.#received = Buffer.concat([this.#received, data])
    for (;;) {
      const start = hasLetter() ? 1 : 0
      if (this.#received.length < start + 4) return
      const end = start + this.#received.readInt32BE(start)
      if (this.#received.length < end) return
      const message = this.#received.subarray(0, end)
      this.#received = this.#received.subarray(end)
      this.#handle(start === 1 ? String.fromCharCode(message[0] as number) : '', message)
    }
  }
}

function readParameters(startup: Buffer): Map<string, string> {
  const words = startup.toString('utf8', 8).split('\0')
  const parameters = new Map<string, string>()
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2)
    parameters.set(words[i] as string, words[i + 1] as string)
  return parameters
}

function startupOf(parameters: ReadonlyMap<string, string>): Buffer {
  const known = [...parameters].filter(([name]) => KNOWN_PARAMETERS.includes(name))
  const body = Buffer.from(`${known.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8)
  head.writeInt32BE(196_608, 4)
  return Buffer.concat([head, body])
}

function messageOf(letter: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(letter)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function rowOf(name: string, value: string): Buffer {
  const column = Buffer.alloc(18)
  column.writeInt32BE(25, 6)
  column.writeInt16BE(-1, 10)
  const count = Buffer.from([0, 1])
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(value))
  return Buffer.concat([
    messageOf('T', Buffer.concat([count, Buffer.from(`${name}\0`), column])),
    messageOf('D', Buffer.concat([count, length, Buffer.from(value)])),
    messageOf('C', Buffer.from('SELECT 1\0')),
    messageOf('Z', Buffer.from('I')),
  ])
}
