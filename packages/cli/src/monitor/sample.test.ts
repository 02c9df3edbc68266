import { expect, test } from 'vitest'
import { sessions } from '../doctor/testing/facts.ts'
import { countSessions } from './sample.ts'

const worker = { pid: 4711, command: 'node dist/worker.js' }

test('a sample has one count for each application, over all databases', () => {
  const list = [
    ...sessions(5),
    ...sessions(2, { database: 'reports' }, 200),
    ...sessions(1, { application: '' }, 300),
    ...sessions(1, { application: 'poolguard monitor', isOwn: true }, 400),
  ]

  expect(countSessions({ openSlots: 97 }, list)).toMatchObject({
    used: 8,
    usable: 97,
    applications: [
      { application: 'orders', role: 'app', connections: 7 },
      { application: '', role: 'app', connections: 1 },
    ],
  })
})

test('counts the instances of a fleet as one application', () => {
  const list = [
    ...sessions(4, { application: 'psql' }),
    ...sessions(3, { application: 'orders#3f9a1b' }, 200),
    ...sessions(1, { application: 'orders#3f9a1b:t=8,d=12,n=1l' }, 300),
    ...sessions(1, { application: 'orders#9c02ee:t=9,d=4,n=2' }, 400),
    ...sessions(2, { application: 'worker#iNsTaNCeOFAfLeEtBeHInDApgboUNcEr' }, 500),
  ]

  expect(countSessions({ openSlots: 97 }, list).applications).toEqual([
    { application: 'orders', role: 'app', connections: 5, instances: 2 },
    { application: 'psql', role: 'app', connections: 4 },
    { application: 'worker', role: 'app', connections: 2 },
  ])
})

test('lists the processes, with the session that has not changed for the longest time', () => {
  const list = [
    ...sessions(2, { localProcess: worker, state: 'idle in transaction', stateSeconds: 9 }),
    ...sessions(1, { localProcess: worker, stateSeconds: 70, query: 'select 2' }, 200),
    ...sessions(1, {}, 300),
  ]

  expect(countSessions({ openSlots: 97 }, list).processes).toMatchObject([
    {
      ...{ process: worker, role: 'app', address: '10.0.0.5', connections: 3, pids: [100, 101, 200] },
      ...{ idle: 1, idleInTransaction: 2, isOneProcess: true },
      longest: { pid: 200, port: 40_200, state: 'idle', stateSeconds: 70, query: 'select 2' },
    },
    { connections: 1, isOneProcess: false, longest: { pid: 300 } },
  ])
})
