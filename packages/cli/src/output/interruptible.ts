/** Ctrl-C, SIGTERM, and Ctrl-Break, which only Windows has, as only other systems have SIGTERM. */
export const INTERRUPTING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGBREAK']

/** Aborts its signal on Ctrl-C, Ctrl-Break and SIGTERM, so that a command ends with its report. A second signal ends the process. */
export function interruptible(): AsyncDisposable & { readonly signal: AbortSignal } {
  const stop = new AbortController()
  const interrupted = () => {
    stop.abort()
    off()
  }
  const off = () => {
    for (const signal of INTERRUPTING_SIGNALS) process.off(signal, interrupted)
  }
  for (const signal of INTERRUPTING_SIGNALS) process.once(signal, interrupted)
  return { signal: stop.signal, [Symbol.asyncDispose]: async () => off() }
}
