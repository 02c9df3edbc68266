import { systemClock } from '../../clock.ts'
import type { Doubt, IgnoredConnections } from '../../fleet/index.ts'

/** Names are made up at will: a pool tells no more of them than this. */
const MAX_WARNINGS = 10
const MAX_NAME_LENGTH = 63

/** Instances have the lock for milliseconds; with so many of them that a look fails, the next ones do not all fail. */
const LOCKED_INTERVALS = 6

export interface FleetWarningsOptions {
  readonly app: string
  readonly intervalMillis: number
  readonly warn: (message: string) => void
}

/** Warns once of each role and app whose connections only look like instances, and of each instance that claims too much. */
export class FleetWarnings {
  readonly #options: FleetWarningsOptions
  readonly #told = new Set<string>()
  #lockedSince: number | undefined

  constructor(options: FleetWarningsOptions) {
    this.#options = options
  }

  ignored(connections: readonly IgnoredConnections[]): void {
    for (const { role, app, count } of connections) {
      this.#warnOnce(`ignored ${app} ${role}`, () => {
        return (
          `counts ${connectionsOf(count)} of role ${quoteName(role)}, named as an instance of app ${quoteName(app)}, only as in use, ` +
          "because that role is not the pool's own. If that app is to share with this one, name its role in fleet.trustedRoles here, " +
          "and this pool's role there. If you do not know it, find its connections in pg_stat_activity, or in SHOW CLIENTS of " +
          'PgBouncer, and limit the role with ALTER ROLE ... CONNECTION LIMIT.'
        )
      })
    }
  }

  doubted({ kind, member, role, open, claimed }: Doubt): void {
    this.#warnOnce(`${kind} ${member}`, () => {
      const who = `${quoteName(member)}${role === undefined ? '' : ` of role ${quoteName(role)}`}`
      return kind === 'impersonated'
        ? `has found figures under the name of this instance, ${who}, that it has not published (${claimed} connections), and publishes ` +
            'its own over them. Only a client that logs in as a trusted role can do this: find out which one names itself so.'
        : `keeps no more room for ${who} than for the ${connectionsOf(open)} that it has open, because it claims ${claimed} and does not open ` +
            'them. If that is an instance of yours, see whether it hangs or cannot connect; if not, find out which client of ' +
            'that role names itself so.'
    })
  }

  /** A look has succeeded. */
  looked(): void {
    this.#lockedSince = undefined
  }

  /** A look has failed, because another session had the fleets' lock. Any role of the database can take it. */
  lockHeld(): void {
    const now = systemClock.now()
    this.#lockedSince ??= now
    if (now - this.#lockedSince < LOCKED_INTERVALS * this.#options.intervalMillis) return
    this.#warnOnce('lock', () => {
      return (
        'keeps what it has, because another session has held the lock of the fleets for long. Find that session with SELECT a.pid, a.usename, ' +
        'a.application_name FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid ' +
        "WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted, and end it with pg_terminate_backend."
      )
    })
  }

  #warnOnce(about: string, describe: () => string): void {
    if (this.#told.has(about) || this.#told.size >= MAX_WARNINGS) return
    this.#told.add(about)
    const { app, warn } = this.#options
    warn(`fleet "${app}" ${describe()}`)
  }
}

function connectionsOf(count: number): string {
  return count === 1 ? '1 connection' : `${count} connections`
}

/** A name from outside, on one line and acting on no terminal. */
function quoteName(name: string): string {
  return JSON.stringify(name.slice(0, MAX_NAME_LENGTH)).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}
