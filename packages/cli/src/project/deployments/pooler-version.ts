import type { PoolerInFiles } from './container.ts'

/** How PgBouncer treats named statements in transaction mode. */
export interface StatementSupport {
  readonly version: string
  /** `none`: before 1.21. `off`: it is off unless it is set, before 1.24. `on`: it is on by default. */
  readonly byDefault: 'none' | 'off' | 'on'
}

/** What an image's tag says: `1.22.1-debian-12-r5`, `v1.24.1-p1`. Undefined for tags such as `latest`. */
export function statementSupport({ image }: Pick<PoolerInFiles, 'image'>): StatementSupport | undefined {
  const [, version, minor] = /^v?(1\.(\d{1,3})(?:\.\d{1,3})?)(?![\d.])/.exec(image?.tag ?? '') ?? []
  if (version === undefined) return undefined
  const number = Number(minor)
  return { version, byDefault: number < 21 ? 'none' : number < 24 ? 'off' : 'on' }
}
