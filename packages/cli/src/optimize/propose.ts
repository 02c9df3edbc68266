import { t } from '../output/translate.ts'
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

/**
 * Proposes changes in the order of the recommendations, then other settings that wait for a restart. Skips settings that the
 * server does not have.
 */
export function propose(recommended: readonly RecommendedSetting[], state: ServerState): readonly Proposal[] {
  const proposals = recommended.flatMap((setting) => {
    const current = state.settings.get(setting.name)
    return current ? [judge(setting, current, state)] : []
  })
  const pending = [...state.settings.values()].filter(
    ({ name, pendingRestart }) => pendingRestart && !recommended.some((setting) => setting.name === name),
  )
  return [...proposals, ...pending.map((current) => waiting(current, state))]
}

function waiting(current: CurrentSetting, state: ServerState): Proposal {
  const { name, unit } = current
  const before = unit === null ? current.value : showAmount(unit, amountOf(current))
  const value = writtenText(current, state)
  return {
    ...{ name, before, after: value ?? t`a value that this role cannot see`, value: value ?? '' },
    ...{ standing: 'waits', by: 'system', takesEffect: 'after a restart' },
    reason: t`changed, but the server has not restarted since`,
    source: 'https://www.postgresql.org/docs/current/view-pg-settings.html',
  }
}

function judge(setting: RecommendedSetting, current: CurrentSetting, state: ServerState): Proposal {
  const { name, value, reason, source } = setting
  const system = current.alterable && !state.alterSystemOff
  const { unit } = current
  const after = showAmount(unit, amountIn(unit, value))
  const before = showAmount(unit, amountOf(current))
  const restart = current.context === 'postmaster'
  const takesEffect = restart ? 'after a restart' : system ? 'on reload' : 'in new sessions'
  const [standing, note] = standingOf(setting, current, state, system)
  return {
    ...{ name, before, after, value, standing, takesEffect, reason, source },
    by: system ? 'system' : 'role',
    ...(note !== undefined && { note }),
  }
}

function standingOf(
  setting: RecommendedSetting,
  current: CurrentSetting,
  state: ServerState,
  system: boolean,
): [Proposal['standing'], (string | undefined)?] {
  const { unit, source, context } = current
  const [now, target] = [amountOf(current), amountIn(unit, setting.value)]
  const place = placeOf(current)
  if (now === target)
    return ['fine', current.pendingRestart ? t`another value is set, and waits for a restart` : undefined]
  if (isKept(setting, current, now, target)) return ['kept', t`${place}; recommended: ${setting.value}`]
  if (current.pendingRestart && writtenValue(current, state) === target) return ['waits', t`set already`]
  if (CANNOT_ALTER_SYSTEM.includes(source)) {
    return ['elsewhere', t`set by the server's ${source}, which overrides ALTER SYSTEM: change it there`]
  }
  if (source in OF_ROLES) return ['elsewhere', t`${place}, which overrides ALTER SYSTEM: change it there`]
  if (!system && context !== 'user') {
    return [
      'elsewhere',
      state.alterSystemOff
        ? t`allow_alter_system is off: change it in the configuration that manages this server`
        : t`this role may not ALTER SYSTEM: run optimize as a superuser, or set it in the parameter group (RDS, Aurora), the database flags (Cloud SQL) or the server parameters (Azure)`,
    ]
  }
  const lowers = target < now && now > 0 ? t`lowers the current value (${place})` : undefined
  return ['change', lowers ?? noteOn(setting, state, system)]
}

/** Keeps a value that was set on purpose: a higher amount, or any value of a setting that only must not be missing. */
function isKept(setting: RecommendedSetting, { source }: CurrentSetting, now: number, target: number): boolean {
  if (setting.priority === 'requested') return false
  if (setting.priority === 'default') return now !== 0 || source in OF_ROLES
  return source !== 'default' && now > target
}

function noteOn({ name }: RecommendedSetting, { role, standbys }: ServerState, system: boolean): string | undefined {
  if (!system) return t`for the role ${role} only, because it may not ALTER SYSTEM`
  if (name === 'max_connections' && standbys > 0)
    return t`raise it on the standbys first: a standby stops replaying if the primary has a larger value`
  return undefined
}

function placeOf({ source, file, line }: CurrentSetting): string {
  if (file !== null) return t`set in ${file}:${line}`
  if (source in OF_ROLES) return t`set by ${OF_ROLES[source]}`
  return source === 'default' ? t`PostgreSQL's default` : t`set (${source})`
}

function writtenValue(current: CurrentSetting, state: ServerState): number | undefined {
  const text = writtenText(current, state)
  return text === undefined ? undefined : amountIn(current.unit, text)
}

/** The value in the configuration files: the last line wins. */
function writtenText({ name }: CurrentSetting, { files }: ServerState): string | undefined {
  return files.findLast((line) => line.name === name)?.value ?? undefined
}
