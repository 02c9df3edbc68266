/** True for a query that pg answers with a promise: no callback and no `submit` method. */
export function answersByPromise([query, ...rest]: readonly unknown[]): boolean {
  const { callback, submit } = (query ?? {}) as Partial<Submitted>
  return typeof submit !== 'function' && ![...rest, callback].some((each) => typeof each === 'function')
}

/** Rejects a query in the style in which it was sent (callback, query object or promise) and returns what pg would return. */
export function failQuery(error: Error, [query, ...rest]: readonly unknown[]): unknown {
  const { callback, handleError, submit } = (query ?? {}) as Partial<Submitted>
  const done = [...rest, callback].find((each) => typeof each === 'function') as ((error: Error) => void) | undefined
  if (done) process.nextTick(done, error)
  else if (handleError) process.nextTick(() => handleError.call(query, error))
  else return Promise.reject(error)
  return typeof submit === 'function' ? query : undefined
}

/** Optional members of a query object of pg or of a package such as pg-cursor. */
interface Submitted {
  readonly callback: unknown
  readonly handleError: (error: Error) => void
  readonly submit: unknown
}
