import type { Socket } from 'node:net'

/** https://www.postgresql.org/docs/current/protocol-error-fields.html, by the names that postgres.js gives them. */
const FIELDS: Readonly<Record<string, string>> = {
  S: 'severity_local',
  V: 'severity',
  C: 'code',
  M: 'message',
  D: 'detail',
  H: 'hint',
  W: 'where',
  F: 'file',
  L: 'line',
  R: 'routine',
}

const ERROR_RESPONSE = 'E'.charCodeAt(0)
/** No FATAL error is longer. */
const MAX_FATAL_BYTES = 16_384

/**
 * Keeps the bytes that arrived last. A server that ends a session sends a FATAL error before it closes the connection (57P01,
 * `query_wait_timeout`), but postgres.js fails the query only with the fact that the connection was closed.
 */
export class FatalErrorReader {
  #chunk: Buffer | undefined
  /** The network may cut a message anywhere. */
  #before: Buffer | undefined

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#before = this.#chunk
      this.#chunk = chunk
    })
  }

  /** The fields of the FATAL error that it ended with; undefined where it ended otherwise. */
  read(): Record<string, string> | undefined {
    if (!this.#chunk) return undefined
    return lastFatal(Buffer.concat([this.#before ?? Buffer.alloc(0), this.#chunk]).subarray(-MAX_FATAL_BYTES))
  }
}

/** The FATAL error that bytes end with; they may begin in the middle of another message. */
function lastFatal(bytes: Buffer): Record<string, string> | undefined {
  for (let start = bytes.indexOf(ERROR_RESPONSE); start >= 0; start = bytes.indexOf(ERROR_RESPONSE, start + 1)) {
    if (start + 5 > bytes.length) return undefined
    if (start + 1 + bytes.readUInt32BE(start + 1) !== bytes.length) continue
    const fields = readFields(bytes.subarray(start))
    if (fields.severity === 'FATAL' || fields.severity === 'PANIC') return fields
  }
  return undefined
}

function readFields(message: Buffer): Record<string, string> {
  const texts = message.toString('utf8', 5).split('\0')
  const fields: Record<string, string> = {}
  for (const text of texts) {
    const name = FIELDS[text.charAt(0)]
    if (name !== undefined) fields[name] = text.slice(1)
  }
  // PgBouncer before 1.26 sends no unlocalised one.
  return { ...fields, severity: fields.severity ?? fields.severity_local ?? '' }
}

/** As postgres.js says it. */
export function closedError(): Error {
  return Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED', errno: 'CONNECTION_CLOSED' })
}
