import { hostname } from 'node:os'
import type { EventView, PageAction, PageDocument, PoolSample, SourceView } from '@poolguard/page'
import {
  type ActionDone,
  ActionError,
  EventLog,
  findHolder,
  type PageContent,
  type PoolReading,
  viewPools,
  worstOf,
} from '@poolguard/web/adapter'
import { t } from '../output/translate.ts'
import type { WatchedApp } from './watched-app.ts'
import type { WatchedDatabase } from './watched-database.ts'

const STARTED_AT = Date.now()

export interface UiContentOptions {
  /** Undefined if only apps are watched. */
  readonly database: WatchedDatabase | undefined
  readonly apps: readonly WatchedApp[]
  /** Whether the page may terminate sessions. */
  readonly hasActions: boolean
  /** Aborts when the command ends. */
  readonly over: AbortSignal
}

/** What `poolguard ui` shows: a database, its PgBouncer, and the pools of apps, as of their last answers. */
export class UiContent implements PageContent {
  readonly #options: UiContentOptions
  readonly #events = new EventLog()
  /** The sources that did not answer the last time. */
  #missing: ReadonlySet<string> = new Set()

  readonly act: PageContent['act']

  constructor(options: UiContentOptions) {
    this.#options = options
    this.act = options.hasActions ? (action) => this.#act(action) : undefined
  }

  get isClosing(): boolean {
    return this.#options.over.aborted
  }

  /** Asks all of them. Never rejects. */
  async sample(): Promise<void> {
    const { database, apps, over } = this.#options
    await Promise.all([database?.sample(), ...apps.map((app) => app.sample(over))])
    this.#logOutages()
  }

  readDocument(filter: string): PageDocument {
    const { database, apps } = this.#options
    const pools = this.#pools().filter(({ name }) => name.includes(filter))
    const names = [
      ...(database?.views.slice(0, 1).map(({ name }) => name) ?? []),
      ...apps.map(({ address }) => address),
    ]
    const missingApps = apps.flatMap(({ address, problem }): SourceView[] =>
      problem === undefined
        ? []
        : [{ name: address, isApp: true, isControlled: false, report: 'unreachable', problem }],
    )
    return {
      time: Date.now(),
      process: { host: hostname(), pid: process.pid, startedAt: STARTED_AT },
      watched: { names, hasApps: apps.length > 0 },
      status: worstOf([...pools, ...(this.#missing.size > 0 ? [{ status: 'warning' as const }] : [])]),
      ...viewPools(pools),
      sources: [...missingApps, ...(database?.views ?? [])],
      events: this.#events.read().filter(({ pool }) => pool.includes(filter)),
    }
  }

  readHistory(ids: ReadonlySet<number>): Readonly<Record<number, readonly PoolSample[]>> {
    const found = this.#pools().filter(({ id }) => ids.has(id))
    return Object.fromEntries(found.map(({ id, history }) => [id, history.read()]))
  }

  readStack(holder: string): string | null {
    return findHolder(this.#pools(), holder)
  }

  logAction({ subject, text }: ActionDone): void {
    this.#events.addAction(subject, text, Date.now())
  }

  async #act(action: PageAction): Promise<ActionDone> {
    const { database } = this.#options
    if (action.action !== 'terminate') throw new ActionError(t`Use the page of the app: it controls its pools.`)
    if (!database || database.name !== action.source) throw new ActionError(t`The page does not show such a server.`)
    await database.terminate(action)
    return { subject: action.source, text: `terminated session ${action.pid} of ${action.source}` }
  }

  /** With several apps, the name of a pool says whose it is. */
  #pools(): readonly PoolReading[] {
    const { apps } = this.#options
    if (apps.length === 1) return apps[0]?.pools ?? []
    return apps.flatMap(({ address, pools }) =>
      pools.map((pool) => ({ ...pool, name: `${pool.name} · ${new URL(address).host}` })),
    )
  }

  #logOutages(): void {
    const { database, apps } = this.#options
    const failed = (database?.views ?? []).filter(({ report }) => report === 'unreachable').map(({ name }) => name)
    const missing = new Set([
      ...failed,
      ...apps.filter(({ problem }) => problem !== undefined).map(({ address }) => address),
    ])
    for (const name of missing) if (!this.#missing.has(name)) this.#log(name, t`${name} does not answer.`)
    for (const name of this.#missing) if (!missing.has(name)) this.#log(name, t`${name} answers again.`)
    this.#missing = missing
  }

  #log(name: EventView['pool'], message: string): void {
    this.#events.add(name, { type: 'warning', message }, Date.now())
  }
}
