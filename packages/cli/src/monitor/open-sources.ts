import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionString, classifyConnectFailure } from '@poolguard/core/postgres'
import { cannotConnect } from '../connect-errors/cannot-connect.ts'
import { type Contact, contact } from '../database/contact.ts'
import { environment } from '../environment/own-environment.ts'
import { findTarget, requireTarget } from '../target.ts'
import { PoolerWatch } from './watch-pooler.ts'

export interface SourcesOptions {
  readonly url: string | undefined
  readonly dotenv: string | undefined
  readonly poolerUrl: string | undefined
  readonly applicationName: string
  /** Connects past the pooler if the environment has a direct URL, and looks for a console where the pooler is. */
  readonly prefersDirect?: boolean
}

/** A database and PgBouncer's console, to be read again and again. */
export interface Sources extends AsyncDisposable {
  readonly database: Contact
  readonly pooler: PoolerWatch | undefined
  readonly url: ConnectionString
}

/** A sample fails if it gets no connection within this time: the next one is due soon. */
const SAMPLE_TIMEOUT_MILLIS = 2_000

/** @throws {CannotRunError} if the database or the console cannot be reached. A full server or pooler counts as reached. */
export async function openSources(options: SourcesOptions): Promise<Sources> {
  const { url, dotenv, poolerUrl, applicationName, prefersDirect = false } = options
  const place = { folder: process.cwd(), env: environment }
  const found = requireTarget({ url, dotenv, ...place })
  const target = (prefersDirect ? found.direct : undefined) ?? found.url
  const consoleUrl = poolerUrl === undefined ? undefined : findTarget({ url: poolerUrl, ...place })?.url
  let pooler = consoleUrl && (await PoolerWatch.open(consoleUrl))
  const database = contact(target, { applicationName, max: 1, acquireTimeoutMillis: SAMPLE_TIMEOUT_MILLIS })
  const close = async () => {
    await database[Symbol.asyncDispose]()
    await pooler?.[Symbol.asyncDispose]()
  }
  const reached = database.reach().catch((error: Error) => {
    // Monitoring a full server is a normal start.
    if (classifyConnectFailure(error) === 'full') return undefined
    throw cannotConnect(target, error)
  })
  try {
    // Behind a full pooler no connection may come for a long time, and its console still answers.
    const topology = await (pooler ? Promise.race([reached, pause(SAMPLE_TIMEOUT_MILLIS, undefined)]) : reached)
    const isBehindPooler = target !== found.url || topology?.kind === 'pooler'
    if (!pooler && prefersDirect && isBehindPooler) pooler = await consoleAt(found.url)
    return { database, pooler, url: target, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

/** PgBouncer's console at the app's own address, if its user may read it. */
async function consoleAt(url: ConnectionString): Promise<PoolerWatch | undefined> {
  return await PoolerWatch.open(url).catch(() => undefined)
}
