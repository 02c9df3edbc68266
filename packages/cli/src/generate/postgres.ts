import type { Budget } from '@poolguard/core'
import type { PostgresVersion } from '../recommend/postgres-version.ts'
import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import type { Generated } from './generated-file.ts'

const FILE = 'poolguard.conf'

/**
 * A part of postgresql.conf.
 *
 * @param needsPooler the plan fits with PgBouncer in between only.
 */
export function generatePostgres(
  version: PostgresVersion,
  settings: readonly RecommendedSetting[],
  budget: Budget,
  needsPooler: boolean,
): Generated {
  const lines = settings.flatMap(({ name, value, reason, source }) => [
    `# ${reason}`,
    `# ${source}`,
    `${name} = ${quoted(value)}`,
    '',
  ])
  const head = [
    `# Made by \`poolguard generate postgres\`, for PostgreSQL ${version}.`,
    `# In postgresql.conf, as its last line: include = '${FILE}'`,
    '',
  ]
  return {
    budget,
    files: [{ path: `postgres/${FILE}`, content: [...head, ...lines].join('\n') }],
    next: [
      `Copy postgres/${FILE} beside postgresql.conf (SHOW config_file), and end that with: include = '${FILE}'`,
      'Restart PostgreSQL: max_connections and shared_buffers are read at its start only.',
      "select name, setting, sourcefile from pg_catalog.pg_settings where pg_catalog.strpos(sourcefile, 'poolguard.conf') operator(pg_catalog.>) 0; -- what has come of it",
      ...(needsPooler
        ? [
            `So many connections are too few for ${budget.pools} pools without PgBouncer in front: poolguard generate pgbouncer.`,
          ]
        : []),
    ],
  }
}

/** As arguments of the server's program. */
export function serverFlags(settings: readonly RecommendedSetting[]): readonly string[] {
  return settings.map(({ name, value }) => `--${name}=${value}`)
}

function quoted(value: string): string {
  return /^\d+$/.test(value) ? value : `'${value}'`
}
