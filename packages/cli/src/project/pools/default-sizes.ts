import { documentationPage } from '../../output/documentation.ts'
import { t } from '../../output/translate.ts'
import type { DefaultSize } from './pool-draft.ts'

/** `max` of pg's pool, which most libraries open. */
export const PG_DEFAULT: DefaultSize = { value: 10, reference: 'https://node-postgres.com/apis/pool' }

export const POSTGRES_JS_DEFAULT: DefaultSize = {
  value: 10,
  reference: 'https://github.com/porsager/postgres#the-connection-pool',
}

export const KNEX_DEFAULT: DefaultSize = { value: 10, reference: 'https://knexjs.org/guide/#pool' }

export const SEQUELIZE_DEFAULT: DefaultSize = {
  value: 5,
  reference: 'https://sequelize.org/docs/v6/other-topics/connection-pool/',
}

/** Cores x 2 + 1; the cores of the production machine are not known here. */
export const PRISMA_ENGINE_DEFAULT: DefaultSize = {
  value: 9,
  reference:
    'https://www.prisma.io/docs/orm/prisma-client/setup-and-configuration/databases-connections/connection-pool',
  get assumes() {
    return t`4 CPU cores`
  },
}

export const GRAPHILE_WORKER_DEFAULT: DefaultSize = {
  value: 10,
  reference: 'https://worker.graphile.org/docs/library/run',
}

export const PG_BOSS_DEFAULT: DefaultSize = {
  value: 10,
  reference: 'https://github.com/timgit/pg-boss/blob/master/docs/api/constructor.md',
}

export const SLONIK_DEFAULT: DefaultSize = { value: 10, reference: 'https://github.com/gajus/slonik#api' }

export const DATABASES_DEFAULT: DefaultSize = { value: 10, reference: 'https://www.atdatabases.org/docs/pg-options' }

export const POOLGUARD_DEFAULT: DefaultSize = { value: 10, reference: documentationPage('options.md') }

/** A client is one connection. */
export const ONE_CONNECTION: DefaultSize = { value: 1, reference: 'https://node-postgres.com/apis/client' }
