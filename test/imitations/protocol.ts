/** A row by its columns. */
export type ImitatedRow = Readonly<Record<string, unknown>>

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

/** True for the message before the login that asks for TLS. */
export function isSslRequest(whole: Buffer): boolean {
  return whole.readInt32BE(4) === SSL_REQUEST
}

/** The parameters of a startup message. */
export function startupParameters(startup: Buffer): Map<string, string> {
  const words = startup.toString('utf8', 8).split('\0')
  const parameters = new Map<string, string>()
  for (let i = 0; i + 1 < words.length && words[i] !== ''; i += 2)
    parameters.set(words[i] as string, words[i + 1] as string)
  return parameters
}

/** Splits a stream into messages. Those before the login have no letter. */
export class MessageReader {
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

export function describeRows([first = {}]: readonly ImitatedRow[]): Buffer {
  const fields = Object.entries(first).map(([name, value]) => {
    const rest = Buffer.alloc(18)
    rest.writeInt32BE(TYPES[typeof value as keyof typeof TYPES] ?? TYPES.string, 6)
    rest.writeInt16BE(-1, 10)
    rest.writeInt32BE(-1, 12)
    return Buffer.concat([Buffer.from(`${name}\0`), rest])
  })
  return message('T', Buffer.concat([count(fields.length), ...fields]))
}

export function dataRow(row: ImitatedRow): Buffer {
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
