/** The reply to a request, for any framework. */
export interface Reply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer<ArrayBuffer>
}

/** The reply is valid for this moment only. `no-store` also makes `Vary: Accept` unnecessary. */
const NOT_STORED = { 'cache-control': 'no-store' }

export function jsonReply(status: number, body: object, headers: Reply['headers'] = {}): Reply {
  const contentType = { 'content-type': 'application/json; charset=utf-8' }
  return { status, headers: { ...contentType, ...NOT_STORED, ...headers }, body: JSON.stringify(body) }
}

export function pageReply(contentType: string, body: Reply['body']): Reply {
  return { status: 200, headers: { 'content-type': contentType, ...NOT_STORED }, body }
}
