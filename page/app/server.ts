import type { PageAction, PageDocument, PoolSample } from '../src/index.ts'
import { t } from './language.ts'

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

/** @returns the reason if the action failed. */
export async function act(action: PageAction): Promise<string | undefined> {
  const response = await send('?do=act', action)
  if (response?.status === 204) return undefined
  const { message } = (await response?.json().catch(() => ({}))) ?? {}
  if (typeof message === 'string') return message
  return response ? t('The server answered {0}.', response.status) : t('The server does not answer.')
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
  return (await send(url, body))?.status ?? 0
}

/** @returns undefined if the server does not answer. */
async function send(url: string, body: object): Promise<Response | undefined> {
  const headers = { 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined)
}
