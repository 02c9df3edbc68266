import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import type { CurrentSetting, ServerState } from './server-state.ts'
import { amountIn, amountOf, showAmount } from './setting-amount.ts'

/** The proposed change of one setting. */
export interface Proposal {
  readonly name: string
  /** The current value, for people. */
  readonly before: string
  /** The recommended value, for people. */
  readonly after: string
  /** The recommended value, for ALTER SYSTEM. */
  readonly value: string
  /**
   * - `fine`: has the recommended value;
   * - `kept`: has another value that was set on purpose, and optimize leaves it alone;
   * - `change`: optimize can change it;
   * - `waits`: is set already, and waits for a restart;
   * - `elsewhere`: should change, but optimize cannot change it.
   */
  readonly standing: 'fine' | 'kept' | 'change' | 'waits' | 'elsewhere'
  /** With ALTER SYSTEM, or with ALTER ROLE for the connected role. */
  readonly by: 'system' | 'role'
  readonly takesEffect: 'on reload' | 'after a restart' | 'in new sessions'
  readonly reason: string
  readonly source: string
  readonly note?: string
}

const CANNOT_ALTER_SYSTEM = ['command line', 'environment variable', 'override']
const OF_ROLES: Readonly<Record<string, string>> = {
  user: 'ALTER ROLE',
  database: 'ALTER DATABASE',
  'database user': 'ALTER ROLE ... IN DATABASE',
}

const MANAGED =
  'this role may not ALTER SYSTEM: run optimize as a superuser, or set it in the parameter group (RDS, Aurora), the database flags (Cloud SQL) or the server parameters (Azure)'

/**
 * Proposes changes in the order of the recommendations, then other settings that wait for a restart. Skips settings that the
 * server does not have.
 */
export function propose(wishes: readonly RecommendedSetting[], state: ServerState): readonly Proposal[] {
  const proposals = wishes.flatMap((wish) => {
    const current = state.settings.get(wish.name)
    return current ? [judge(wish, current, state)] : []
  })
  const pending = [...state.settings.values()].filter(
    ({ name, pendingRestart }) => pendingRestart && !wishes.some((wish) => wish.name === name),
  )
  return [...proposals, ...pending.map((current) => waiting(current, state))]
}

function waiting(current: CurrentSetting, state: ServerState): Proposal {
  const { name, unit } = current
  const before = unit === null ? current.value : showAmount(unit, amountOf(current))
  const value = writtenText(current, state)
  return {
    ...{ name, before, after: value ?? 'a value that this role cannot see', value: value ?? '' },
    ...{ standing: 'waits', by: 'system', takesEffect: 'after a restart' },
    reason: 'changed, but the server has not restarted since',
    source: 'https://www.postgresql.org/docs/current/view-pg-settings.html',
  }
}

function judge(wish: RecommendedSetting, current: CurrentSetting, state: ServerState): Proposal {
  const { name, value, reason, source } = wish
  const system = current.alterable && !state.alterSystemOff
  const { unit } = current
  const after = showAmount(unit, amountIn(unit, value))
  const before = showAmount(unit, amountOf(current))
  const restart = current.context === 'postmaster'
  const takesEffect = restart ? 'after a restart' : system ? 'on reload' : 'in new sessions'
  const [standing, note] = stand(wish, current, state, system)
  return {
    ...{ name, before, after, value, standing, takesEffect, reason, source },
    by: system ? 'system' : 'role',
    ...(note !== undefined && { note }),
  }
}

function stand(
  wish: RecommendedSetting,
  current: CurrentSetting,
  state: ServerState,
  system: boolean,
): [Proposal['standing'], (string | undefined)?] {
  const { unit, source, context } = current
  const [now, wished] = [amountOf(current), amountIn(unit, wish.value)]
  const place = placeOf(current)
  if (now === wished)
    return ['fine', current.pendingRestart ? 'another value is set, and waits for a restart' : undefined]
  if (isKept(wish, current, now, wished)) return ['kept', `${place}; recommended: ${wish.value}`]
  if (current.pendingRestart && writtenValue(current, state) === wished) return ['waits', 'set already']
  if (CANNOT_ALTER_SYSTEM.includes(source)) {
    return ['elsewhere', `set by the server's ${source}, which overrides ALTER SYSTEM: change it there`]
  }
  if (source in OF_ROLES) return ['elsewhere', `${place}, which overrides ALTER SYSTEM: change it there`]
  if (!system && context !== 'user') {
    return [
      'elsewhere',
      state.alterSystemOff
        ? 'allow_alter_system is off: change it in the configuration that manages this server'
        : MANAGED,
    ]
  }
  const lowers = wished < now && now > 0 ? `lowers the value ${place}` : undefined
  return ['change', lowers ?? noteOn(wish, state, system)]
}

/** Keeps a value that was set on purpose: a higher amount, or any value of a setting that only must not be missing. */
function isKept(wish: RecommendedSetting, { source }: CurrentSetting, now: number, wished: number): boolean {
  if (wish.wish === 'asked') return false
  if (wish.wish === 'missing') return now !== 0 || source in OF_ROLES
  return source !== 'default' && now > wished
}

function noteOn({ name }: RecommendedSetting, { role, standbys }: ServerState, system: boolean): string | undefined {
  if (!system) return `for the role ${role} only, because it may not ALTER SYSTEM`
  if (name === 'max_connections' && standbys > 0)
    return 'raise it on the standbys first: a standby stops replaying if the primary has a larger value'
  return undefined
}

function placeOf({ source, file, line }: CurrentSetting): string {
  if (file !== null) return `set in ${file}:${line}`
  if (source in OF_ROLES) return `set by ${OF_ROLES[source]}`
  return source === 'default' ? "PostgreSQL's default" : `set (${source})`
}

function writtenValue(current: CurrentSetting, state: ServerState): number | undefined {
  const text = writtenText(current, state)
  return text === undefined ? undefined : amountIn(current.unit, text)
}

/** The value in the configuration files: the last line wins. */
function writtenText({ name }: CurrentSetting, { files }: ServerState): string | undefined {
  return files.findLast((line) => line.name === name)?.value ?? undefined
}
