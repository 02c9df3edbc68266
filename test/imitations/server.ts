import { type AddressInfo, createServer, type Socket } from 'node:net'
import {
  dataRow,
  describeRows,
  type ImitatedRow,
  isSslRequest,
  MessageReader,
  message,
  startupParameters,
} from './protocol.ts'

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
  const reader = new MessageReader((letter, whole) => {
    if (letter !== '') {
      const reply = handle(letter, whole.subarray(5))
      if (reply) socket.write(reply)
    } else if (isSslRequest(whole)) socket.write('N')
    else {
      database = startupParameters(whole).get('database') ?? ''
      socket.write(login(parameters))
    }
  })
  socket.on('data', (data) => reader.read(data, () => database !== undefined))
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

function textAt(body: Buffer, at: number): string {
  return body.toString('utf8', at, body.indexOf(0, at))
}
