import { systemClock } from '../../clock.ts'
import type { Doubt, IgnoredConnections } from '../../fleet/index.ts'

/** Limits the warnings, because any client can invent names. */
const MAX_WARNINGS = 10
const MAX_NAME_LENGTH = 63

/** Instances hold the lock for milliseconds: in a large fleet an exchange may fail, but not for this many intervals in a row. */
const LOCKED_INTERVALS = 6

export interface FleetWarningsOptions {
  readonly app: string
  readonly intervalMillis: number
  readonly warn: (message: string) => void
}

/** Warns once about each role and app whose connections only look like instances, and about each instance that claims too much. */
export class FleetWarnings {
  readonly #options: FleetWarningsOptions
  readonly #warned = new Set<string>()
  #lockedSince: number | undefined

  constructor(options: FleetWarningsOptions) {
    this.#options = options
  }

  warnIgnored(connections: readonly IgnoredConnections[]): void {
    for (const { role, app, count } of connections) {
      this.#warnOnce(`ignored ${app} ${role}`, () => {
        return (
          `counts ${connectionsOf(count)} of role ${quoteName(role)} only as in use, although named like an instance of app ${quoteName(app)}, ` +
          'because this pool uses another role. If that app should share connections with this one, name its role, or one that it is a member of, in fleet.trustedRoles here, ' +
          "and this pool's role there. If you do not know that app, find its connections in pg_stat_activity, or in SHOW CLIENTS of " +
          'PgBouncer, and limit the role with ALTER ROLE ... CONNECTION LIMIT.'
        )
      })
    }
  }

  warnDoubted({ kind, member, role, open, claimed }: Doubt): void {
    this.#warnOnce(`${kind} ${member}`, () => {
      const who = `${quoteName(member)}${role === undefined ? '' : ` of role ${quoteName(role)}`}`
      return kind === 'impersonated'
        ? `found figures under the name of this instance, ${who}, that this instance has not published (${claimed} connections). It publishes ` +
            'its own figures again. Only a client that logs in as a trusted role can do this: find the client that uses this name.'
        : `reserves only ${connectionsOf(open)} for ${who}, the number that it has open, because it claims ${claimed} and does not open ` +
            'them. If that is one of your instances, check whether it hangs or cannot connect. If not, find the client of ' +
            'that role that uses this name.'
    })
  }

  /** An exchange has succeeded. */
  onExchanged(): void {
    this.#lockedSince = undefined
  }

  /** An exchange has failed because another session held the fleets' lock, which any role of the database can acquire. */
  onLockHeld(): void {
    const now = systemClock.now()
    this.#lockedSince ??= now
    if (now - this.#lockedSince < LOCKED_INTERVALS * this.#options.intervalMillis) return
    this.#warnOnce('lock', () => {
      return (
        'keeps its current share, because another session has held the advisory lock of the fleets for too long. Find that session with SELECT a.pid, a.usename, ' +
        'a.application_name FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid ' +
        "WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted, and end it with pg_terminate_backend."
      )
    })
  }

  #warnOnce(about: string, describe: () => string): void {
    if (this.#warned.has(about) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(about)
    const { app, warn } = this.#options
    warn(`fleet "${app}" ${describe()}`)
  }
}

function connectionsOf(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`
}

/** Quotes an untrusted name: on one line, without control characters. */
function quoteName(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME_LENGTH)).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}
