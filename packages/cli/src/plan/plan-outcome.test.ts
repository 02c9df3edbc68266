import type { PlanInput, PoolerCapacity } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { planOutcome } from './plan-outcome.ts'
import { sourceByHand } from './plan-source.ts'

const pooler: PoolerCapacity = {
  mode: 'transaction',
  maxClients: 100,
  otherClients: 0,
  poolSize: 8,
  reservePoolSize: 0,
  maxDbConnections: null,
  maxUserConnections: null,
}

function outcome(input: Partial<PlanInput>, notes: readonly string[] = [], cores?: number) {
  const { capacity, title } = sourceByHand({ maxConnections: 20, reserved: 3 })
  return planOutcome({ title, notes, input: { capacity, instances: 6, ...input }, sizing: [], cores })
}

test('a plan that fits prints its steps, the settings and the notes', () => {
  expect(outcome({}, ['Something is hidden.'])).toMatchObject({
    exitCode: 0,
    json: { fits: true, maxPerPool: 2, pools: 6 },
    text: [
      'Planned without a server',
      '',
      '  max_connections 20 - 3 reserved = 17',
      '  17 usable - 3 headroom = 14 to share',
      '  14 / 6 instances = 2 each',
      '',
      'max 2 for each pool, 12 connections in all 6 pools.',
      'Set max: 2 (connection_limit=2 in the URL for Prisma 5 and 6, poolSize: 2 for TypeORM),',
      "or set { instances: 6 } on poolguard's pools: they read the limits from the server.",
      '',
      'Note: Something is hidden.',
    ].join('\n'),
  })
})

test.each<[given: string, input: Partial<PlanInput>, isAdvised: boolean]>([
  ['a transaction pooler', { pooler }, false],
  ['a pooler in session mode', { pooler: { ...pooler, mode: 'session' } }, true],
])('given %s, advises instances only if they divide connections', (_, input, isAdvised) => {
  expect(outcome(input).text.includes('{ instances: 6 }')).toBe(isAdvised)
})

test.each<[given: string, cores: number, input: Partial<PlanInput>, advice: string | undefined]>([
  [
    'fewer cores than the plan needs',
    4,
    { instances: 2 },
    "4 in each pool, set { instances: 2, pool: { limit: 'cores', serverCores: 4 } }",
  ],
  ['more pools than connections that help', 2, {}, 'default_pool_size = 5'],
  ['a transaction pooler', 2, { instances: 3, pooler }, 'default_pool_size = 5'],
  ['enough cores', 8, {}, undefined],
])('given %s, advises how many connections to use', (_, cores, input, advice) => {
  const { text } = outcome(input, [], cores)

  if (advice === undefined) expect(text).not.toMatch(/serverCores|default_pool_size/)
  else expect(text).toContain(advice)
})

test('a plan that does not fit is a finding', () => {
  const { exitCode, text, json } = outcome({ instances: 15 })

  expect(exitCode).toBe(1)
  expect(text).toContain('The plan does not fit. 15 instances cannot share 14 connections')
  expect(json).toMatchObject({ fits: false, code: 'POOLGUARD_BUDGET' })
})
