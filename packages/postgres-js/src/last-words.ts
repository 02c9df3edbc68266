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

/**
 * Remembers what arrived last. A server that ends a session says why before it hangs up (57P01, `query_wait_timeout`), and
 * postgres.js tells the query only that it hung up.
 */
export class LastWords {
  #chunk: Buffer | undefined

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#chunk = chunk
    })
  }

  /** The fields of the FATAL error that it ended with; undefined where it ended otherwise. */
  read(): Record<string, string> | undefined {
    const last = this.#chunk && lastMessage(this.#chunk)
    if (!last || last[0] !== ERROR_RESPONSE) return undefined
    const fields = readFields(last)
    return fields.severity === 'FATAL' || fields.severity === 'PANIC' ? fields : undefined
  }
}

/** The last of the messages in a chunk; undefined where it does not begin and end with whole ones. */
function lastMessage(chunk: Buffer): Buffer | undefined {
  let start = 0
  while (start + 5 <= chunk.length) {
    const end = start + 1 + chunk.readUInt32BE(start + 1)
    if (end === chunk.length) return chunk.subarray(start)
    start = end
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
