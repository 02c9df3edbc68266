import { t } from '../../output/translate.ts'
import { deployedServers } from '../deployed.ts'
import type { Rule } from '../rule.ts'

/** Settings of PostgreSQL that people look for among the variables of its image. */
const SETTING =
  /^(?:(?:POSTGRES|POSTGRESQL|PG|PGSQL)_)?(MAX_CONNECTIONS|SUPERUSER_RESERVED_CONNECTIONS|RESERVED_CONNECTIONS|SHARED_BUFFERS|WORK_MEM|MAINTENANCE_WORK_MEM|EFFECTIVE_CACHE_SIZE|STATEMENT_TIMEOUT|LOCK_TIMEOUT|IDLE_IN_TRANSACTION_SESSION_TIMEOUT|IDLE_SESSION_TIMEOUT|MAX_WAL_SIZE|WAL_BUFFERS|WAL_LEVEL|RANDOM_PAGE_COST|MAX_WORKER_PROCESSES|SHARED_PRELOAD_LIBRARIES|LOG_MIN_DURATION_STATEMENT|LOG_STATEMENT)$/

export const serverVariablesIgnored: Rule = {
  id: 'server-variables-ignored',
  title: 'The PostgreSQL image does not read a variable',
  severity: 'warning',
  check: (facts) =>
    deployedServers(facts).flatMap(({ name, image, variables, words }) =>
      [...variables].flatMap(([variable, { value, place }]) => {
        const setting = SETTING.exec(variable)?.[1]?.toLowerCase()
        // bitnami's image reads several of them, with its own prefix.
        if (setting === undefined || /bitnami/.test(image?.written ?? '')) return []
        // A command that uses the variable passes it on: -c max_connections=${POSTGRES_MAX_CONNECTIONS}.
        if (words.some(({ text }) => text.replaceAll('-', '_').includes(`${setting}=`) && text.includes(value)))
          return []
        return [
          {
            evidence: t`${variable} of ${name}, and the image is ${image?.written ?? ''}.`,
            why: t`The image reads only the variables for its first start, such as POSTGRES_PASSWORD, POSTGRES_USER and POSTGRES_DB: ${setting} keeps its default.`,
            change: t`Remove ${variable} and set it on the command line: command: postgres -c ${setting}=${value}`,
            data: { service: name, variable, setting, value },
            place,
          },
        ]
      }),
    ),
}
