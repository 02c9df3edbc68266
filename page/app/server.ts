import type { PageDocument, PoolSample } from '../src/index.ts'

/** Every request goes to the page's own address, wherever the app has mounted it: only the query differs. */
const DATA = '?get=data'

/** A response other than 200; 401 means that the session has ended. */
export class ResponseError extends Error {
  readonly status: number

  constructor(status: number) {
    super(`The server answered ${status}.`)
    this.status = status
  }
}

export async function isSignedIn(): Promise<boolean> {
  const session = await getJson<{ signedIn: boolean }>('?get=session').catch(() => undefined)
  return session?.signedIn ?? false
}

/** @returns the status of the response: 204 if the token is right. */
export async function signIn(token: string): Promise<number> {
  return post('?do=login', { token })
}

export async function signOut(): Promise<void> {
  await post('?do=logout', {})
}

export async function readDocument(filter: string): Promise<PageDocument> {
  return getJson(`${DATA}${filterQuery(filter)}`)
}

/** The samples of the last ten minutes of these pools. */
export async function readHistory(pools: readonly number[]): Promise<Readonly<Record<string, readonly PoolSample[]>>> {
  return getJson(`?get=history&pools=${pools.join()}`)
}

/** The stack of the caller that holds a connection; null if it is not known any more. */
export async function readStack(holder: string): Promise<string | null> {
  return (await getJson<{ stack: string | null }>(`?get=stack&holder=${holder}`)).stack
}

export function streamUrl(filter: string): string {
  return `?get=stream${filterQuery(filter)}`
}

function filterQuery(filter: string): string {
  return filter === '' ? '' : `&filter=${encodeURIComponent(filter)}`
}

async function getJson<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url)
  if (!response.ok) throw new ResponseError(response.status)
  return response.json()
}

async function post(url: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
  return response?.status ?? 0
}
