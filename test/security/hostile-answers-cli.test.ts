import { describe, expect, test } from 'vitest'
import type { ImitatedRow } from '../imitations/protocol.ts'
import { type Answer, imitateServer, PID } from '../imitations/server.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'

const CAPACITY: ImitatedRow = {
  ...{ maxConnections: 100, reserved: 3, roleLimit: null, databaseLimit: null },
  ...{ used: 1, usedByRole: 1, usedByDatabase: 1 },
}
const SETTINGS: ImitatedRow = {
  ...{ version: '18.0', role: 'app', database: 'app', superuser: false, idleInTransactionTimeoutMillis: 60_000 },
  ...{ boundsOtherRoles: false, seesAll: true, build: 'PostgreSQL 18.0', maxConnections: 100, reserved: 3 },
}
const SESSION: ImitatedRow = {
  ...{ pid: 7, startedAt: '1795913581.7', changedAt: '1795913581.7', type: 'client backend', application: 'orders' },
  ...{
    role: 'app',
    database: 'app',
    address: '127.0.0.1',
    port: 40_000,
    state: 'idle',
    ageSeconds: 9,
    readAt: 1_795_913_582,
  },
  ...{ transactionSeconds: null, stateSeconds: 2, querySeconds: 2, waitType: null, waitEvent: null, query: 'select 1' },
  ...{
    lockWaitSeconds: null,
    blockedBy: '',
    protected: false,
    own: false,
    sameRole: true,
    sameDatabase: true,
    total: 1,
  },
}
const LOAD: ImitatedRow = {
  ...{ elapsedMillis: 1_000, sessionMillis: 10, activeMillis: 5, idleInTransactionMillis: 0, transactions: 3 },
}

/** What the commands ask, by a part of the statement, the most particular first. */
const ANSWERS: readonly (readonly [part: string, row: ImitatedRow])[] = [
  ['"openSlots"', { openSlots: 97 }],
  ['"usedByRole"', CAPACITY],
  ['"boundsOtherRoles"', SETTINGS],
  ['"build"', SETTINGS],
  ['"blockedBy"', SESSION],
  ['datconnlimit', { kind: 'role', name: 'app', limit: 50 }],
  ['pg_prepared_xacts', { gid: 'x', owner: 'app', database: 'app', ageSeconds: 1 }],
  ['pg_replication_slots', { name: 'old', kind: 'physical', database: null, retainedBytes: 1, holdsRows: false }],
  ['"sessionMillis"', LOAD],
  ['pg_backend_pid', { pid: PID }],
]

/** The answers, of which one column of one row is another. */
function answersWith(part: string, column: string, value: unknown): Answer {
  return (statement) => {
    if (statement.includes('pg_prepared_statements')) return [{ pid: PID, name: null, along: JSON.stringify(CAPACITY) }]
    const [found, row] = ANSWERS.find(([each]) => statement.includes(each)) ?? []
    if (!row) return []
    if (found !== part) return [row]
    const { [column]: _left, ...others } = row
    return [value === undefined ? others : { ...others, [column]: value }]
  }
}

async function run(args: readonly string[], answer: Answer) {
  await using server = await imitateServer({ answer })
  const [command = '', ...options] = args
  const outcome = await runPoolguard([command, `postgresql://app@127.0.0.1:${server.port}/app`, ...options])
  return { code: outcome.code, output: outcome.stdout + outcome.stderr }
}

type Case = readonly [args: readonly string[], column: string, value: string | undefined, part: string]

const DOCTOR = ['doctor', '--json']
const PLAN = ['plan', '--instances', '4']
const MONITOR = ['monitor', '--samples', '1']

const CASES: readonly Case[] = [
  [DOCTOR, 'openSlots', 's3cret', '"openSlots"'],
  [DOCTOR, 'maxConnections', '-5', '"usedByRole"'],
  [DOCTOR, 'idleInTransactionTimeoutMillis', undefined, '"boundsOtherRoles"'],
  [DOCTOR, 'pid', 's3cret', '"blockedBy"'],
  [DOCTOR, 'port', '70000', '"blockedBy"'],
  [DOCTOR, 'stateSeconds', 's3cret', '"blockedBy"'],
  [DOCTOR, 'limit', '-5', 'datconnlimit'],
  [DOCTOR, 'ageSeconds', undefined, 'pg_prepared_xacts'],
  [DOCTOR, 'retainedBytes', 's3cret', 'pg_replication_slots'],
  [DOCTOR, 'activeMillis', 's3cret', '"sessionMillis"'],
  [PLAN, 'maxConnections', 's3cret', '"usedByRole"'],
  [PLAN, 'reserved', undefined, '"usedByRole"'],
  [PLAN, 'total', '-5', '"blockedBy"'],
  [MONITOR, 'openSlots', 's3cret', '"openSlots"'],
  [MONITOR, 'state', undefined, '"blockedBy"'],
  [['optimize'], 'maxConnections', 's3cret', '"build"'],
]

/** In processes of their own, as a user would run them. */
describe('given an imitated server', () => {
  test.each(CASES)(
    'when %j is run and %s is %j, then the command says what is invalid',
    async (args, column, value, part) => {
      const { code, output } = await run(args, answersWith(part, column, value))

      expect(code).toBeGreaterThan(0)
      expect(output).toContain(column)
      expect(output).toContain('is invalid')
      expect(output).not.toMatch(/NaN|TypeError|s3cret| at file:/)
    },
  )

  test.each([[DOCTOR], [PLAN], [MONITOR]])(
    'when %j is run and all is honest, then nothing is invalid',
    async (args) => {
      const { output } = await run(args, answersWith('', '', undefined))

      expect(output).not.toContain('is invalid')
    },
  )
})
