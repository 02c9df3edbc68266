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

function outcome(input: Partial<PlanInput>, notes: readonly string[] = []) {
  const { capacity, title } = sourceByHand({ maxConnections: 20, reserved: 3 })
  return planOutcome({ title, notes, input: { capacity, instances: 6, ...input }, sizing: [] })
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

test('a plan that does not fit is a finding', () => {
  const { exitCode, text, json } = outcome({ instances: 15 })

  expect(exitCode).toBe(1)
  expect(text).toContain('The plan does not fit. 15 instances cannot share 14 connections')
  expect(json).toMatchObject({ fits: false, code: 'POOLGUARD_BUDGET' })
})
