import { t } from '../../output/translate.ts'
import type { PoolerSettings } from '../project-facts.ts'
import type { PoolerInFiles } from './container.ts'

/** How an image names the variables that it writes to pgbouncer.ini. */
export type PoolerImage = 'bitnami' | 'edoburu' | 'other'

export function poolerImage({ image }: Pick<PoolerInFiles, 'image'>): PoolerImage {
  const written = image?.written ?? ''
  if (/(^|\/)bitnami(legacy|secure)?\//.test(written)) return 'bitnami'
  return /(^|\/)edoburu\//.test(written) ? 'edoburu' : 'other'
}

/** PgBouncer's settings from a container's variables: bitnami's have a prefix, edoburu's have none. */
export function poolerSettings(pooler: PoolerInFiles, file: string): PoolerSettings {
  const kind = poolerImage(pooler)
  const settings = [...pooler.variables].flatMap(([name, variable]) => {
    const setting = settingName(name, kind)
    return setting === undefined ? [] : [[setting, variable] as const]
  })
  return {
    source: t`${file}, service ${pooler.name}`,
    values: new Map(settings.map(([name, { value }]) => [name, value])),
    places: new Map(settings.map(([name, { place }]) => [name, place])),
    databases: 1,
  }
}

function settingName(variable: string, kind: PoolerImage): string | undefined {
  const hasPrefix = variable.startsWith('PGBOUNCER_')
  if (kind === 'bitnami' && !hasPrefix) return undefined
  if (kind === 'edoburu' && hasPrefix) return undefined
  return variable.toLowerCase().replace(/^pgbouncer_/, '')
}
