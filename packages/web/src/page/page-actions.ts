import type { PageAction } from '@poolguard/page'
import { ActionError, type PageContent } from './page-content.ts'

/** Where each action is logged. */
export type ActionLog = (line: string) => void

/** The page shows the reason below the button. */
const MAX_REASON = 300

/** Performs the actions of a page, and logs each one with who did it, whether it worked or not. */
export class PageActions {
  readonly #content: PageContent
  readonly #log: ActionLog

  constructor(content: PageContent, log: ActionLog = emitActionWarning) {
    this.#content = content
    this.#log = log
  }

  get areOn(): boolean {
    return this.#content.act !== undefined
  }

  /**
   * @param who the session and the address of its browser.
   * @returns the reason if the action failed.
   */
  async perform(action: PageAction, who: string): Promise<string | undefined> {
    try {
      const done = await this.#content.act?.(action)
      if (!done) return 'The page has no actions.'
      this.#write(`${who} ${done.text}.`)
      this.#content.logAction?.(done)
      return undefined
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#write(`${who} could not ${describe(action)}: ${reason}`)
      return reason.slice(0, MAX_REASON)
    }
  }

  /** Names and reasons come from requests, pools and servers: none of them may look like another line of the log. */
  #write(line: string): void {
    this.#log(line.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`))
  }
}

function emitActionWarning(line: string): void {
  process.emitWarning(`Live page: ${line}`, 'PoolguardAction')
}

function describe(action: PageAction): string {
  switch (action.action) {
    case 'resize':
      return `resize pool ${action.pool} to ${action.max}`
    case 'close idle':
      return `close the idle connections of pool ${action.pool}`
    case 'terminate':
      return `terminate session ${action.pid} of ${action.source}`
  }
}

const MAX_CONNECTIONS = 262_143
/** Seconds since 1970, with fractions. */
const START = /^\d{1,12}(?:\.\d{1,9})?$/

/** The action of a request; undefined if the body is something else. */
export function readAction(body: unknown): PageAction | undefined {
  const { action, pool, max, source, pid, startedAt } = Object(body) as Record<string, unknown>
  switch (action) {
    case 'resize':
      return isWhole(pool, 1) && isWhole(max, 1) && max <= MAX_CONNECTIONS ? { action, pool, max } : undefined
    case 'close idle':
      return isWhole(pool, 1) ? { action, pool } : undefined
    case 'terminate':
      return typeof source === 'string' && isWhole(pid, 1) && typeof startedAt === 'string' && START.test(startedAt)
        ? { action, source, pid, startedAt }
        : undefined
    default:
      return undefined
  }
}

function isWhole(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min
}

/** PostgreSQL's insufficient_privilege. */
const DENIED = '42501'

/**
 * Terminates a session.
 *
 * @param terminate false: the session has ended.
 * @throws {ActionError} if the session has ended, or without the right.
 */
export async function terminateSession(pid: number, terminate: () => Promise<boolean>): Promise<void> {
  try {
    if (await terminate()) return
  } catch (error) {
    if (Object(error).code !== DENIED) throw error
    throw new ActionError(
      `The role of this source may not terminate session ${pid}. It needs pg_signal_backend, and for a session of a superuser it must be one.`,
    )
  }
  throw new ActionError(`Session ${pid} has ended already.`)
}
