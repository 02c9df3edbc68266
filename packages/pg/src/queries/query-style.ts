/** Whether a query has neither a callback nor an interface of its own. */
export function answersByPromise([query, ...rest]: readonly unknown[]): boolean {
  const { callback, submit } = (query ?? {}) as Partial<Submitted>
  return typeof submit !== 'function' && ![...rest, callback].some((each) => typeof each === 'function')
}

/** Fails a query in the style in which it was sent, and returns what pg returns for that. */
export function failQuery(error: Error, [query, ...rest]: readonly unknown[]): unknown {
  const { callback, handleError, submit } = (query ?? {}) as Partial<Submitted>
  const done = [...rest, callback].find((each) => typeof each === 'function') as ((error: Error) => void) | undefined
  if (done) process.nextTick(done, error)
  else if (handleError) process.nextTick(() => handleError.call(query, error))
  else return Promise.reject(error)
  return typeof submit === 'function' ? query : undefined
}

/** What a query object of pg's, or of a package such as pg-cursor, may have. */
interface Submitted {
  readonly callback: unknown
  readonly handleError: (error: Error) => void
  readonly submit: unknown
}
