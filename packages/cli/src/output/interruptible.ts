/** Aborts its signal on Ctrl-C and SIGTERM, so that a command ends with its report. A second signal ends the process. */
export function interruptible(): AsyncDisposable & { readonly signal: AbortSignal } {
  const stop = new AbortController()
  const interrupted = () => {
    stop.abort()
    off()
  }
  const off = () => process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  return { signal: stop.signal, [Symbol.asyncDispose]: async () => void off() }
}
