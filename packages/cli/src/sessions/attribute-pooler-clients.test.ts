import type { PgBouncerSocket } from '@poolguard/core/postgres'
import { expect, test } from 'vitest'
import { session } from '../doctor/testing/facts.ts'
import { attributePoolerClients } from './attribute-pooler-clients.ts'
import { groupByProcess } from './client-process.ts'

const socket = (changes: Partial<PgBouncerSocket>): PgBouncerSocket => ({
  ...{ database: 'app', user: 'app', state: 'active', address: '10.0.0.9', port: 40_000, applicationName: '' },
  ...{ connectedAtMillis: null, requestedAtMillis: null, pointer: '', link: '', remotePid: 0, id: null },
  ...changes,
})
const worker = { pid: 4711, command: 'node dist/worker.js' }
const pgBouncer = { pid: 99, command: 'pgbouncer' }
const POOLER = {
  clients: [
    socket({ pointer: 'c1', link: 's1', port: 41_000 }),
    socket({ pointer: 'c2', link: 's2', address: 'unix' }),
  ],
  servers: [
    socket({ pointer: 's1', link: 'c1', remotePid: 1 }),
    socket({ pointer: 's2', link: 'c2', remotePid: 2 }),
    socket({ pointer: 's3', remotePid: 3, state: 'idle' }),
    socket({ pointer: 's4', link: 'c1', remotePid: 4, user: 'other' }),
  ],
  localProcesses: new Map([['c1', worker]]),
}

test("a server connection is its client's, and one without a client stays PgBouncer's", () => {
  const list = [1, 2, 3, 4, 5].map((pid) => session(pid, { localProcess: pgBouncer }))
  const attributed = attributePoolerClients(list, POOLER)

  expect(attributed.map(({ poolerClient, localProcess }) => [poolerClient?.address, localProcess])).toEqual([
    ['10.0.0.9', worker],
    [null, undefined],
    [undefined, pgBouncer],
    // Another role: a PgBouncer in front of another server.
    [undefined, pgBouncer],
    [undefined, pgBouncer],
  ])
  expect(groupByProcess(attributed)[0]).toMatchObject({ localProcess: pgBouncer, isBehindPooler: false })
  expect(groupByProcess(attributed.slice(0, 1))[0]).toMatchObject({ ports: [41_000], isBehindPooler: true })
})
