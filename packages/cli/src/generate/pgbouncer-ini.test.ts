import { parse } from 'ini'
import { expect, test } from 'vitest'
import { sourceByHand } from '../plan/plan-source.ts'
import { pgBouncerIni } from './pgbouncer-ini.ts'
import { planPooler } from './pooler-plan.ts'

const { capacity } = sourceByHand({ maxConnections: 100, reserved: 3 })
const place = { host: 'db', port: 5433, database: 'orders', role: 'app', parameters: [] }
const text = pgBouncerIni({ plan: planPooler({ capacity, instances: 4 }), place, authFile: '/tmp/userlist.txt' })

test('the ini has the sizes of the plan and the settings of a transaction pooler', () => {
  expect(parse(text)).toMatchObject({
    databases: { orders: 'host=db port=5433 dbname=orders' },
    pgbouncer: {
      pool_mode: 'transaction',
      auth_type: 'scram-sha-256',
      auth_file: '/tmp/userlist.txt',
      default_pool_size: '62',
      reserve_pool_size: '7',
      max_db_connections: '70',
      max_client_conn: '159',
      max_prepared_statements: '200',
    },
  })
})

test('each block of settings has a comment on its own line above it', () => {
  const blocks = text.slice(text.indexOf('[pgbouncer]')).split(/\n(?=;)/)

  expect(blocks.slice(1).every((block) => block.startsWith(';'))).toBe(true)
  // PgBouncer does not support comments after a value.
  expect(text.split('\n').filter((line) => /^[a-z].*;/.test(line))).toEqual([])
})
