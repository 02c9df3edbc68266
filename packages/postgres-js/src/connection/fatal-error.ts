import type { Socket } from 'node:net'

/** https://www.postgresql.org/docs/current/protocol-error-fields.html, with the names that postgres.js uses. */
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
/** Upper limit for the size of a FATAL error. */
const MAX_FATAL_BYTES = 16_384

/**
 * Reads the FATAL error that a server sends before it closes a connection (57P01, `query_wait_timeout`). postgres.js reports only
 * CONNECTION_CLOSED. Keeps the last two chunks received.
 */
export class FatalErrorReader {
  #lastChunk: Buffer | undefined
  /** The chunk before it: a message may be split across two chunks. */
  #previousChunk: Buffer | undefined

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#previousChunk = this.#lastChunk
      this.#lastChunk = chunk
    })
  }

  /** The fields of the FATAL error at the end of the data; undefined if there is none. */
  read(): Record<string, string> | undefined {
    if (!this.#lastChunk) return undefined
    return lastFatal(
      Buffer.concat([this.#previousChunk ?? Buffer.alloc(0), this.#lastChunk]).subarray(-MAX_FATAL_BYTES),
    )
  }
}

/** Finds the FATAL error at the end of the bytes, which may begin in the middle of another message. */
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
  // PgBouncer before 1.26 does not send the unlocalized severity (V).
  return { ...fields, severity: fields.severity ?? fields.severity_local ?? '' }
}

/** The error of postgres.js for a closed connection. */
export function closedError(): Error {
  return Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED', errno: 'CONNECTION_CLOSED' })
}
