import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A row by its columns. */
export type ImitatedRow = Readonly<Record<string, unknown>>

/** What is answered to a statement: rows, as they are. */
export type Answer = (statement: string, database: string) => readonly ImitatedRow[]

export interface ImitatedServerOptions {
  readonly answer: Answer
  /** Reported at login. */
  readonly parameters?: Readonly<Record<string, string>>
}

export interface ImitatedServer extends AsyncDisposable {
  readonly port: number
  /** The most connections that were open at once. */
  readonly mostOpen: number
}

/** The pid that every connection gets. */
export const PID = 1

const SSL_REQUEST = 80_877_103
const TYPES = { boolean: 16, number: 701, bigint: 20, string: 25 } as const

/** One message of PostgreSQL's protocol: a letter, the length, and the rest. */
export function message(
  letter: string,
  body: Buffer | string = '',
  length: number = Buffer.byteLength(body) + 4,
): Buffer {
  const head = Buffer.alloc(5)
  head.write(letter)
  head.writeInt32BE(length, 1)
  return Buffer.concat([head, Buffer.from(body)])
}

/** Not PostgreSQL, but an imitation that speaks enough of its protocol for pg and postgres.js, and sends the given answers. */
export async function imitateServer({ answer, parameters = {} }: ImitatedServerOptions): Promise<ImitatedServer> {
  const sockets = new Set<Socket>()
  let mostOpen = 0
  const server = createServer((socket) => {
    // Or each answer in several pieces would wait for the client's acknowledgement.
    socket.setNoDelay(true)
    sockets.add(socket)
    mostOpen = Math.max(mostOpen, sockets.size)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    converse(socket, answer, parameters)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    get mostOpen() {
      return mostOpen
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function converse(socket: Socket, answer: Answer, parameters: Readonly<Record<string, string>>): void {
  let database: string | undefined
  let received = Buffer.alloc(0)
  let statement = ''
  const rows = () => answer(statement, database ?? '')
  const handle = (letter: string, body: Buffer) => {
    switch (letter) {
      case 'Q':
        return runTexts(textAt(body, 0), (text) => answer(text, database ?? ''))
      case 'P':
        statement = textAt(body, textAt(body, 0).length + 1)
        return message('1')
      case 'B':
        return message('2')
      case 'D':
        return Buffer.concat([...(body[0] === 0x53 ? [message('t', '\0\0')] : []), describeRows(rows())])
      case 'E':
        return Buffer.concat([...rows().map(dataRow), message('C', 'SELECT 1\0')])
      case 'C':
        return message('3')
      case 'S':
        return message('Z', 'I')
      default:
        return undefined
    }
  }
  socket.on('data', (data) => {
    received = Buffer.concat([received, data])
    for (;;) {
      const start = database === undefined ? 0 : 1
      if (received.length < start + 4) return
      const end = start + received.readInt32BE(start)
      if (received.length < end) return
      const body = received.subarray(start + 4, end)
      const letter = String.fromCharCode(received[0] ?? 0)
      received = received.subarray(end)
      if (database === undefined) {
        if (body.readInt32BE(0) === SSL_REQUEST) socket.write('N')
        else {
          const fields = body.toString('utf8', 4).split('\0')
          database = fields[fields.indexOf('database') + 1] ?? ''
          socket.write(login(parameters))
        }
        continue
      }
      const reply = handle(letter, body)
      if (reply) socket.write(reply)
    }
  })
}

function login(parameters: Readonly<Record<string, string>>): Buffer {
  const statuses = Object.entries({ server_version: '18.0', client_encoding: 'UTF8', ...parameters })
  return Buffer.concat([
    message('R', '\0\0\0\0'),
    ...statuses.map(([name, value]) => message('S', `${name}\0${value}\0`)),
    message('K', Buffer.from([0, 0, 0, PID, 0, 0, 0, 1])),
    message('Z', 'I'),
  ])
}

function runTexts(text: string, answer: (statement: string) => readonly ImitatedRow[]): Buffer {
  const statements = text.split(';').filter((each) => each.trim() !== '')
  const parts = statements.map((statement) => {
    const rows = answer(statement)
    const isQuery = /^\s*(?:select|show|with)\b/i.test(statement)
    return Buffer.concat([
      ...(isQuery ? [describeRows(rows), ...rows.map(dataRow)] : []),
      message('C', isQuery ? 'SELECT 1\0' : 'SET\0'),
    ])
  })
  return Buffer.concat([...(parts.length > 0 ? parts : [message('I')]), message('Z', 'I')])
}

function describeRows([first = {}]: readonly ImitatedRow[]): Buffer {
  const fields = Object.entries(first).map(([name, value]) => {
    const rest = Buffer.alloc(18)
    rest.writeInt32BE(TYPES[typeof value as keyof typeof TYPES] ?? TYPES.string, 6)
    rest.writeInt16BE(-1, 10)
    rest.writeInt32BE(-1, 12)
    return Buffer.concat([Buffer.from(`${name}\0`), rest])
  })
  return message('T', Buffer.concat([count(fields.length), ...fields]))
}

function dataRow(row: ImitatedRow): Buffer {
  const values = Object.values(row).map((value) => {
    const text = Buffer.from(value === true ? 't' : value === false ? 'f' : String(value))
    return value === null || value === undefined ? length(-1) : Buffer.concat([length(text.length), text])
  })
  return message('D', Buffer.concat([count(values.length), ...values]))
}

function count(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function length(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function textAt(body: Buffer, at: number): string {
  return body.toString('utf8', at, body.indexOf(0, at))
}
