import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import type { CurrentSetting, ServerState } from './server-state.ts'
import { amountIn, amountOf, showAmount } from './setting-amount.ts'

/** What is to be done about one setting. */
export interface Proposal {
  readonly name: string
  /** As the server has it, for people. */
  readonly before: string
  /** As it should be, for people. */
  readonly after: string
  /** As it is written. */
  readonly value: string
  /**
   * - `fine`: it is as it should be;
   * - `kept`: somebody has set it otherwise, and it stays so;
   * - `change`: it can be changed from here;
   * - `waits`: it is set already, and a restart is missing;
   * - `elsewhere`: it should be changed, and not from here.
   */
  readonly standing: 'fine' | 'kept' | 'change' | 'waits' | 'elsewhere'
  /** With ALTER SYSTEM, or with ALTER ROLE for the role that is logged in. */
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
  'this role may not ALTER SYSTEM: run it as a superuser; where there is none, set it in the parameter group (RDS, Aurora), the database flags (Cloud SQL) or the server parameters (Azure)'

/**
 * What should be changed, in the order in which it is wished for, and what somebody else has changed and only a restart
 * brings about. Settings that the server does not know are left out.
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
    ...{ name, before, after: value ?? 'a value that this role may not see', value: value ?? '' },
    ...{ standing: 'waits', by: 'system', takesEffect: 'after a restart' },
    reason: 'somebody has changed it, and the server has not been restarted since',
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
    return ['fine', current.pendingRestart ? 'another value is written, and waits for a restart' : undefined]
  if (isKept(wish, current, now, wished)) return ['kept', `${place}; ${wish.value} is what would be set`]
  if (current.pendingRestart && writtenValue(current, state) === wished) return ['waits', 'it is written already']
  if (CANNOT_ALTER_SYSTEM.includes(source)) {
    return ['elsewhere', `it is given on the server's ${source}, which ALTER SYSTEM cannot change: change it there`]
  }
  if (source in OF_ROLES) return ['elsewhere', `${place}, which goes before ALTER SYSTEM: change it there`]
  if (!system && context !== 'user') {
    return [
      'elsewhere',
      state.alterSystemOff ? 'allow_alter_system is off: change it where the configuration is kept' : MANAGED,
    ]
  }
  const lowers = wished < now && now > 0 ? `lowers what was ${place}` : undefined
  return ['change', lowers ?? noteOn(wish, state, system)]
}

/** What a person has set higher stays, unless another number was asked for; of what has a value nothing is missing. */
function isKept(wish: RecommendedSetting, { source }: CurrentSetting, now: number, wished: number): boolean {
  if (wish.wish === 'asked') return false
  if (wish.wish === 'missing') return now !== 0 || source in OF_ROLES
  return source !== 'default' && now > wished
}

function noteOn({ name }: RecommendedSetting, { role, standbys }: ServerState, system: boolean): string | undefined {
  if (!system) return `for the role ${role} only, which may not ALTER SYSTEM`
  if (name === 'max_connections' && standbys > 0)
    return 'raise it on the standbys first: they refuse to follow a larger one'
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

/** What the files say in the end: the last line wins. */
function writtenText({ name }: CurrentSetting, { files }: ServerState): string | undefined {
  return files.findLast((line) => line.name === name)?.value ?? undefined
}
