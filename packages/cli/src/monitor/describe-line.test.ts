import { expect, test } from 'vitest'
import { describeLine } from './describe-line.ts'
import type { Sample } from './sample.ts'

const TIME = '2026-11-29T12:00:00.000Z'
const clock = new Date(TIME).toLocaleTimeString('en-GB')
const sample: Sample = {
  time: TIME,
  used: 41,
  usable: 97,
  applications: [
    { application: 'orders', role: 'app', connections: 30, instances: 6 },
    { application: 'worker', role: 'app', connections: 8 },
    { application: '', role: 'reports', connections: 3 },
  ],
  processes: [],
}

test('a sample is one line', () => {
  expect(describeLine(sample, Infinity)).toBe(
    `${clock}    41 of 97  ########............  42 %  orders 30 in 6 instances, worker 8, (no name, role reports) 3`,
  )
})

test('applications that do not fit into the terminal are counted', () => {
  expect(describeLine(sample, 90)).toContain('orders 30 in 6 instances, 2 more')
  for (const line of describeLine(sample, 60)?.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(80)
})

test("PgBouncer's pools are below the sample", () => {
  const pool = { database: 'app', user: 'app', clientsActive: 20, clientsWaiting: 3, maxWaitMillis: 4_200 }
  const pooler = { pools: [{ ...pool, serversActive: 20, serversIdle: 0, poolSize: 20, paused: true }] }

  expect(describeLine({ ...sample, pooler }, Infinity)?.split('\n')[1]).toBe(
    '          PgBouncer app/app: clients 20 active, 3 waiting (4.2 s); servers 20 in use of 20, 0 idle  paused',
  )
  expect(describeLine({ ...sample, pooler: { error: 'connect ECONNREFUSED' } }, Infinity)).toContain(
    'PgBouncer: connect ECONNREFUSED',
  )
})

test.each([
  [{ time: TIME, error: 'sorry, too many clients already', full: true }, 'full: sorry, too many clients already'],
  [{ time: TIME, error: 'connect ECONNREFUSED' }, 'failed: connect ECONNREFUSED'],
] as const)('a failed sample says why', (missed, says) => {
  expect(describeLine(missed, Infinity)).toBe(`${clock}  ${says}`)
})

test('an alert has no line, because it goes to standard error', () => {
  expect(describeLine({ alert: 'full', time: TIME, message: 'full' }, 80)).toBeUndefined()
})
