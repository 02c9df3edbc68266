import type { WireConnection } from '../wire-client.ts'

/**
 * Lets a message that pg cannot parse end the connection instead of the process: pg parses inside a listener of the socket,
 * where an exception is uncaught. What a listener of pg or of the app throws stays uncaught, as without the pool.
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
          stream.destroy(new Error('The server has sent a message that cannot be read', { cause: error }))
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
