import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../connection-string/index.ts'
import { directUrlFor, guessProvider } from './guess-provider.ts'
import { PROVIDER_RULES } from './provider-rules.ts'

const NEON = 'ep-cool-darkness-a1b2c3d4'
const REF = 'abcdefghijklmnopqrst'

describe('the provider table', () => {
  test.each<[address: string, provider: string | undefined, endpoint: string | undefined]>([
    [`${NEON}-pooler.us-east-2.aws.neon.tech`, 'Neon', 'transaction-pooler'],
    [`${NEON.toUpperCase()}-POOLER.us-east-2.aws.neon.tech`, 'Neon', 'transaction-pooler'],
    [`${NEON}.us-east-2.aws.neon.tech:5432`, 'Neon', 'direct'],
    ['aws-0-eu-central-1.pooler.supabase.com:6543', 'Supabase', 'transaction-pooler'],
    ['aws-0-eu-central-1.pooler.supabase.com:5432', 'Supabase', 'session-pooler'],
    ['aws-0-eu-central-1.pooler.supabase.com', 'Supabase', 'session-pooler'],
    [`db.${REF}.supabase.co:5432`, 'Supabase', 'direct'],
    [`db.${REF}.supabase.co:6543`, 'Supabase', 'transaction-pooler'],
    ['the-proxy.proxy-demo.us-east-1.rds.amazonaws.com', 'Amazon RDS Proxy', 'transaction-pooler'],
    ['the-proxy.proxy-demo.cn-north-1.rds.amazonaws.com.cn', 'Amazon RDS Proxy', 'transaction-pooler'],
    ['my.cluster-demo.us-east-1.rds.amazonaws.com', 'Amazon RDS', 'direct'],
    ['shop.postgres.database.azure.com:6432', 'Azure Database for PostgreSQL', 'transaction-pooler'],
    ['shop.postgres.database.azure.com', 'Azure Database for PostgreSQL', 'direct'],
    ['shop-do-user-1-0.b.db.ondigitalocean.com:25061', 'DigitalOcean', 'transaction-pooler'],
    ['shop-do-user-1-0.b.db.ondigitalocean.com:25060', 'DigitalOcean', 'direct'],
    ['pgm-1.pg.rds.aliyuncs.com:6432', 'Alibaba Cloud RDS', 'pooler'],
    ['pgm-1.pgsql.singapore.rds.aliyuncs.com:5432', 'Alibaba Cloud RDS', 'direct'],
    ['rm-1.mysql.rds.aliyuncs.com:3306', undefined, undefined],
    ['pooled.db.prisma.io:5432', 'Prisma Postgres', 'transaction-pooler'],
    ['db.prisma.io:5432', 'Prisma Postgres', 'direct'],
    ['db.internal:6432', 'PgBouncer', 'pooler'],
    ['db.internal:5432', undefined, undefined],
    ['neon.tech.example.com', undefined, undefined],
    ['%2Ftmp', undefined, undefined],
    ['', undefined, undefined],
  ])('%s', (address, provider, endpoint) => {
    const guess = guessProvider(parseConnectionString(`postgresql://${address}/x`))

    expect([guess?.provider, guess?.endpoint]).toEqual([provider, endpoint])
    if (guess) expect(guess).toMatchObject({ certainty: 'first-assumption', source: expect.stringMatching(/^https:/) })
  })

  test('every rule has a source', () => {
    expect(PROVIDER_RULES.every(({ source }) => source.startsWith('https://'))).toBe(true)
  })

  test('the host parameter counts', () => {
    expect(guessProvider(parseConnectionString('host=db port=6432'))?.provider).toBe('PgBouncer')
  })
})

describe('the direct URL of a pooled one', () => {
  test.each<[pooled: string, direct: string | undefined]>([
    [
      `app:s3cret@${NEON}-pooler.us-east-2.aws.neon.tech/x?sslmode=require`,
      `app:s3cret@${NEON}.us-east-2.aws.neon.tech/x?sslmode=require`,
    ],
    [`${NEON}-pooler.us-east-2.aws.neon.tech/x?pgbouncer=true`, `${NEON}.us-east-2.aws.neon.tech/x`],
    [`${NEON}.us-east-2.aws.neon.tech/x`, undefined],
    [
      `postgres.${REF}:s3cret@aws-0-eu.pooler.supabase.com:6543/postgres`,
      `postgres:s3cret@db.${REF}.supabase.co:5432/postgres`,
    ],
    [`prisma.${REF}@aws-0-eu.pooler.supabase.com:5432/postgres`, `prisma@db.${REF}.supabase.co:5432/postgres`],
    ['postgres@aws-0-eu.pooler.supabase.com:6543/postgres', undefined],
    [`db.${REF}.supabase.co:6543/x`, `db.${REF}.supabase.co:5432/x`],
    ['shop.postgres.database.azure.com:6432/x', 'shop.postgres.database.azure.com:5432/x'],
    ['pgm-1.pg.rds.aliyuncs.com:6432/x', 'pgm-1.pg.rds.aliyuncs.com:5432/x'],
    ['u:p@pooled.db.prisma.io:5432/?sslmode=require', 'u:p@db.prisma.io:5432/?sslmode=require'],
    ['shop.b.db.ondigitalocean.com:25061/pool', undefined],
    ['the-proxy.proxy-demo.us-east-1.rds.amazonaws.com/x', undefined],
    ['db.internal:6432/x', undefined],
  ])('%s: %s', (pooled, direct) => {
    const found = directUrlFor(parseConnectionString(`postgresql://${pooled}`))

    expect(found?.url.href).toBe(direct === undefined ? undefined : `postgresql://${direct}`)
    if (found) expect(found.source).toMatch(/^https:/)
  })
})
