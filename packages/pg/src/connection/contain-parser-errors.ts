import type { WireConnection } from '../wire-client.ts'

/**
 * Closes the connection if pg cannot parse a message. Without this, the process ends: pg parses in a listener of the socket, where an
 * exception is uncaught. Exceptions of listeners, pg's or the app's, stay uncaught, as without poolguard.
 */
export function containParserErrors(wire: WireConnection): void {
  const { attachListeners, emit } = wire
  let thrownByListener: unknown
  wire.emit = (...args: Parameters<typeof emit>) => {
    try {
      return emit.apply(wire, args)
    } catch (error) {
      thrownByListener = error
      throw error
    }
  }
  wire.attachListeners = (stream) => {
    const { on } = stream
    stream.on = (event: string, listener: Parameters<typeof on>[1]) => {
      if (event !== 'data') return on.call(stream, event, listener)
      return on.call(stream, event, (chunk: Buffer) => {
        try {
          listener(chunk)
        } catch (error) {
          if (error === thrownByListener) throw error
          stream.destroy(new Error('The server sent a message that pg cannot parse', { cause: error }))
        }
      })
    }
    try {
      attachListeners.call(wire, stream)
    } finally {
      stream.on = on
    }
  }
}
