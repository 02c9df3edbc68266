import { describe, expect, test } from 'vitest'
import { type DetectOptions, detectTopology } from './detect.ts'
import type { ProbeSession } from './probe.ts'
import { SimulatedPooler, type SimulationOptions } from './testing/simulated-pooler.ts'
import type { PoolMode, PreparedStatements, Topology } from './topology.ts'

/** For cases that include a timeout, and accept any verdict that is not proven. */
const SHORT = { timeoutMillis: 80 }
/** For cases that include a timeout, and need the exact verdict on a busy machine, too. */
const MEDIUM = { timeoutMillis: 300 }
const never = new Promise<never>(() => {})

function verdictOf(topology: Topology): string {
  if (topology.kind !== 'pooler') return topology.kind
  return `${topology.pooler.mode}${topology.pooler.proven ? '' : ' (not proven)'}`
}

/** The acceptable verdicts of each mode: the true one, and unproven ones. */
const ALLOWED: Record<PoolMode | 'direct', readonly string[]> = {
  direct: ['direct'],
  session: ['session (not proven)', 'transaction (not proven)', 'unknown'],
  transaction: ['transaction', 'transaction (not proven)', 'session (not proven)', 'unknown'],
  statement: ['statement', 'transaction (not proven)', 'session (not proven)', 'unknown'],
}

async function detect(pooler: SimulatedPooler, options?: DetectOptions): Promise<Topology> {
  const topology = await detectTopology(pooler, options)
  expect(pooler.misuses).toEqual([])
  expect(pooler.sessions.map(({ abandoned }) => abandoned)).not.toContain(undefined)
  expect(topology.evidence).not.toEqual([])
  return topology
}

describe('given no other clients', () => {
  test.each<[options: SimulationOptions, verdict: string]>([
    [{ mode: 'direct' }, 'direct'],
    [{ mode: 'transaction', poolSize: 1 }, 'transaction'],
    [{ mode: 'transaction', poolSize: 2 }, 'transaction'],
    [{ mode: 'transaction', poolSize: 20 }, 'transaction'],
    [{ mode: 'transaction', poolSize: 2, roundRobin: true }, 'transaction'],
    [{ mode: 'transaction', poolSize: 20, roundRobin: true }, 'transaction'],
    [{ mode: 'statement', poolSize: 1 }, 'statement'],
    [{ mode: 'statement', poolSize: 2 }, 'statement'],
    [{ mode: 'statement', poolSize: 20, roundRobin: true }, 'statement'],
    [{ mode: 'session', poolSize: 1 }, 'session (not proven)'],
    [{ mode: 'session', poolSize: 2 }, 'session (not proven)'],
    [{ mode: 'session', poolSize: 20, roundRobin: true }, 'session (not proven)'],
  ])('%o is %s', async (options, verdict) => {
    expect(verdictOf(await detect(new SimulatedPooler(options), MEDIUM))).toBe(verdict)
  })
})

describe('given other busy clients', () => {
  const cases = (['transaction', 'session', 'statement'] as const).flatMap((mode) =>
    [1, 2, 20].flatMap((poolSize) =>
      [false, true].flatMap((roundRobin) => [1, 3, 30].map((others) => ({ mode, poolSize, roundRobin, others }))),
    ),
  )

  test.each(cases)(
    '$mode mode, $poolSize servers, $others others, round robin $roundRobin: the verdict is not wrong',
    async ({ others, ...options }) => {
      const pooler = new SimulatedPooler(options)
      const stop = pooler.load(others)
      const topology = await detect(pooler, SHORT)
      stop()

      expect(ALLOWED[options.mode]).toContain(verdictOf(topology))
    },
  )

  test.each(['transaction', 'session', 'statement'] as const)(
    '%s mode without a free server: nothing can be said',
    async (mode) => {
      const pooler = new SimulatedPooler({ mode })
      pooler.occupy()

      expect(verdictOf(await detect(pooler, SHORT))).toBe('unknown')
      expect(pooler.sessions.map(({ abandoned }) => abandoned)).toEqual([true])
    },
  )
})

describe('given a server that becomes free at the wrong moment', () => {
  test('in transaction mode: a second connection that is served late is no proof of session mode', async () => {
    const pooler = new SimulatedPooler({ mode: 'transaction', poolSize: 1 })
    // Two servers. The first connection always gets 100, because it is released after 101.
    let giveBack = () => {}
    let askedAgain = false
    pooler.onQuestion = ({ index }, question) => {
      if (index === 1 && question === 'begin') giveBack = pooler.occupy()
      if (index === 0 && question === 'backendPid' && pooler.sessions.length === 2 && !askedAgain) {
        askedAgain = true
        // The server is released only after the current question is in the queue.
        setImmediate(() => {
          pooler.give(101)
          giveBack()
        })
      }
    }

    expect(ALLOWED.transaction).toContain(verdictOf(await detect(pooler, MEDIUM)))
  })

  test('in statement mode: a second connection that is rejected late is no proof of session mode', async () => {
    const pooler = new SimulatedPooler({ mode: 'statement', poolSize: 1 })
    let giveBack = () => {}
    pooler.onQuestion = ({ index }, question) => {
      if (index === 1 && question === 'begin') giveBack = pooler.occupy()
      if (index === 0 && question === 'backendPid' && pooler.sessions.length === 2) {
        setImmediate(() => giveBack())
      }
    }

    expect(ALLOWED.statement).toContain(verdictOf(await detect(pooler, MEDIUM)))
  })

  test('in statement mode: a transaction that is not answered is no proof of transaction mode', async () => {
    const pooler = new SimulatedPooler({ mode: 'statement', poolSize: 2, roundRobin: true })
    pooler.onQuestion = (_, question) => {
      if (question === 'begin') pooler.occupy()
    }

    expect(verdictOf(await detect(pooler, MEDIUM))).toBe('transaction (not proven)')
    expect(pooler.sessions.map(({ abandoned }) => abandoned)).toEqual([true])
  })

  test('given both connections get no answer, then both are abandoned', async () => {
    const pooler = new SimulatedPooler({ mode: 'session', poolSize: 2 })
    let begun = false
    pooler.onQuestion = (_, question) => {
      if (question === 'rollback') begun = true
      return begun && question === 'backendPid' ? never : undefined
    }

    expect(verdictOf(await detect(pooler, { ...MEDIUM, random: () => 0.99 }))).toBe('transaction (not proven)')
    expect(pooler.sessions.map(({ abandoned }) => abandoned)).toEqual([true, true])
  })
})

describe('given a failure', () => {
  const broken = new Error('server conn crashed?')

  test('no first connection: unknown', async () => {
    const pooler = new SimulatedPooler({ mode: 'direct', clients: 0 })

    expect(await detect(pooler)).toEqual({
      kind: 'unknown',
      preparedStatements: 'unknown',
      server: { version: null },
      evidence: ['no connection to probe with'],
    })
  })

  test('opening rejects: unknown, with the reason', async () => {
    const topology = await detectTopology({ open: () => Promise.reject(broken), done: () => {} })

    expect(topology).toMatchObject({ kind: 'unknown', evidence: ['a probe failed: Error: server conn crashed?'] })
  })

  test.each(['clients', 'rejects'])('no second connection (%s): transaction mode is assumed', async (how) => {
    const pooler = new SimulatedPooler({ mode: 'session', clients: how === 'clients' ? 1 : 2 })
    const open = pooler.open.bind(pooler)
    pooler.open = () => (how === 'rejects' && pooler.sessions.length === 1 ? Promise.reject(broken) : open())

    expect(verdictOf(await detect(pooler))).toBe('transaction (not proven)')
    expect(pooler.sessions.map(({ abandoned }) => abandoned)).toEqual([false])
  })

  test.each<[session: number, question: string, verdict: string]>([
    [0, 'identify', 'unknown'],
    [0, 'backendPid', 'transaction (not proven)'],
    [1, 'begin', 'transaction (not proven)'],
    [1, 'rollback', 'transaction (not proven)'],
  ])('connection %i fails at %s: %s, and it is abandoned', async (at, asked, verdict) => {
    const pooler = new SimulatedPooler({ mode: 'session' })
    pooler.onQuestion = ({ index }, question) => {
      if (index === at && question === asked) throw broken
    }

    expect(verdictOf(await detect(pooler))).toBe(verdict)
    expect(pooler.sessions[at]?.abandoned).toBe(true)
  })

  test.each<[session: number, question: string, verdict: string]>([
    [0, 'identify', 'unknown'],
    [0, 'backendPid', 'transaction (not proven)'],
    [1, 'begin', 'session (not proven)'],
    [1, 'rollback', 'session (not proven)'],
  ])('connection %i is not answered at %s: %s at most, and it is abandoned', async (at, asked, verdict) => {
    const pooler = new SimulatedPooler({ mode: 'session' })
    pooler.onQuestion = ({ index }, question) => (index === at && question === asked ? never : undefined)
    const topology = await detect(pooler, MEDIUM)

    expect([verdict, 'transaction (not proven)']).toContain(verdictOf(topology))
    expect(pooler.sessions[at]?.abandoned).toBe(true)
  })

  test('a probe that throws instead of rejecting: unknown', async () => {
    const session = {
      parameters: new Map(),
      announcedPid: 1,
      identify: () => {
        throw broken
      },
    }

    const topology = await detectTopology({ open: async () => session as never, done: () => {} })
    expect(topology.kind).toBe('unknown')
  })
})

describe('prepared statements', () => {
  test.each<[options: SimulationOptions, preparedStatements: PreparedStatements]>([
    [{ mode: 'direct', renames: false }, 'safe'],
    [{ mode: 'transaction', renames: true }, 'safe'],
    [{ mode: 'transaction', renames: false }, 'unsafe'],
    [{ mode: 'statement', renames: false }, 'unsafe'],
    [{ mode: 'session', renames: true }, 'safe'],
    [{ mode: 'session', renames: false, poolSize: 1 }, 'unknown'],
    [{ mode: 'session', renames: false, poolSize: 2 }, 'unknown'],
  ])('behind %o are %s', async (options, preparedStatements) => {
    expect((await detect(new SimulatedPooler(options), MEDIUM)).preparedStatements).toBe(preparedStatements)
  })

  test('without a name on the server are unknown', async () => {
    const pooler = new SimulatedPooler({ mode: 'transaction' })
    const open = pooler.open.bind(pooler)
    pooler.open = async () => {
      const session = await open()
      const identify = session?.identify.bind(session)
      if (session && identify) session.identify = async () => ({ ...(await identify()), serverName: null })
      return session
    }

    expect((await detect(pooler)).preparedStatements).toBe('unknown')
  })
})

describe('a pooler that announces itself', () => {
  test.each<[mode: PoolMode, statements: string | undefined, preparedStatements: PreparedStatements]>([
    ['session', '0', 'safe'],
    ['transaction', '200', 'safe'],
    ['transaction', '0', 'unsafe'],
    ['transaction', undefined, 'unsafe'],
    ['statement', '200', 'safe'],
    ['statement', '0', 'unsafe'],
  ])('in %s mode, max_prepared_statements %s: %s, without a query', async (mode, statements, preparedStatements) => {
    const done: boolean[] = []
    const parameters = new Map([
      ['pgbouncer.version', '1.26.1'],
      ['pgbouncer.pool_mode', mode],
    ])
    if (statements !== undefined) parameters.set('pgbouncer.max_prepared_statements', statements)
    const topology = await detectTopology({
      open: async () => ({ parameters, announcedPid: 1 }) as unknown as ProbeSession,
      done: (_, { abandon }) => done.push(abandon),
    })

    expect(topology).toMatchObject({
      kind: 'pooler',
      pooler: { name: 'PgBouncer', version: '1.26.1', mode, proven: true },
      preparedStatements,
    })
    expect(done).toEqual([false])
  })
})
