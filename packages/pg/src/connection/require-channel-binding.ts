import { PoolguardError } from '@poolguard/core/adapter'
import type { WireConnection } from '../wire-client.ts'

/** The SCRAM mechanism with channel binding. */
const BOUND = 'SCRAM-SHA-256-PLUS'

/**
 * Fails the login unless the server proves through SCRAM that it is the other end of the TLS connection, before a password is sent. pg
 * itself only prefers channel binding. Must be called before the client connects: the listeners run before pg's own.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-CHANNEL-BINDING
 */
export function requireChannelBinding(connection: WireConnection): void {
  let proven = false
  const reject = (found: string) => {
    // pg reads the rest of the answer before it notices that the stream has been destroyed.
    connection.emit('error', new ChannelBindingError(found))
    connection.stream.destroy()
  }
  connection.on('authenticationSASL', ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
    if (!mechanisms.includes(BOUND)) reject(`the server offers only ${mechanisms.join(', ')}`)
  })
  connection.on('authenticationSASLFinal', () => {
    proven = true
  })
  connection.on('authenticationOk', () => {
    if (!proven) reject('the server accepts the login without SCRAM')
  })
  connection.on('authenticationMD5Password', () => reject('the server asks for an MD5 password'))
  connection.on('authenticationCleartextPassword', () => reject('the server asks for the password in plain text'))
}

/** The configuration requires channel binding, and the server does not offer it. No password has been sent. */
class ChannelBindingError extends PoolguardError {
  static {
    ChannelBindingError.prototype.name = 'ChannelBindingError'
  }

  readonly code = 'POOLGUARD_CHANNEL_BINDING'

  /** @param found what the server offers instead, as part of a sentence. */
  constructor(found: string) {
    super(
      `channel binding is required, but ${found}. Channel binding needs TLS and SCRAM-SHA-256, and most poolers do not offer it. ` +
        'Set channel_binding=prefer to connect without it where the server has none',
    )
  }
}
