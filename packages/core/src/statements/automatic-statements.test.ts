import { afterEach, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../clock.ts'
import type { Topology } from '../topology/index.ts'
import { AutomaticStatements } from './automatic-statements.ts'
import { ConnectionStatements } from './connection-statements.ts'
import type { PrepareOptions } from './prepare-options.ts'
import type { PreparedText } from './prepared-text.ts'

const direct: Topology = { kind: 'direct', server: { version: '18' }, preparedStatements: 'safe', evidence: [] }
const pooled = (maxPreparedStatements?: number): Topology => ({
  ...direct,
  kind: 'pooler',
  pooler: {
    name: 'PgBouncer',
    mode: 'transaction',
    proven: true,
    ...(maxPreparedStatements !== undefined && { maxPreparedStatements }),
  },
})

function sessionPooled(maxPreparedStatements?: number): Topology {
  const topology = pooled(maxPreparedStatements)
  return topology.kind === 'pooler' ? { ...topology, pooler: { ...topology.pooler, mode: 'session' } } : topology
}

const lossWarnings: string[] = []
function make(options: PrepareOptions = {}, topology: Topology | undefined = direct) {
  lossWarnings.length = 0
  const statements = new AutomaticStatements(options, { onUnexpectedLoss: (reason) => lossWarnings.push(reason) })
  if (topology) statements.setTopology(topology)
  return statements
}

function namesOf(statements: AutomaticStatements, text: string, times: number): (string | undefined)[] {
  return Array.from({ length: times }, () => statements.find(text)?.name)
}

const TEXT = 'select * from thing where id = $1'
const NAME = expect.stringMatching(/^poolguard_[0-9a-f]{32}_1$/)
const SECOND_NAME = expect.stringMatching(/^poolguard_[0-9a-f]{32}_2$/)

describe('a statement that is prepared', () => {
  test.for([
    ['by default', {}, [undefined, undefined, undefined, undefined, undefined, NAME, NAME]],
    ['from the first', { prepareThreshold: 0 }, [NAME, NAME]],
    ['from the second', { prepareThreshold: 1 }, [undefined, NAME, NAME]],
    [
      'never',
      { prepareThreshold: null },
      [undefined, undefined, undefined, undefined, undefined, undefined, undefined],
    ],
  ] as const)('%s', ([, options, names]) => {
    expect(namesOf(make(options), TEXT, names.length)).toEqual(names)
  })

  test.for([
    'select $1',
    'SELECT $1',
    '  insert into thing values ($1)',
    'update thing set id = $1',
    'delete from thing where id = $1',
    'with x as (select $1) select * from x',
    'merge into thing using other on id = $1 when matched then do nothing',
    'values ($1)',
    '(select $1) union (select $2)',
    '-- a comment\n/* and * another */ select $1',
  ])('is "%s"', (text) => {
    expect(make({ prepareThreshold: 0 }).find(text)?.name).toEqual(NAME)
  })

  test.for([
    'create table thing as select $1',
    'explain select $1',
    'selected $1',
    'call proceed($1)',
    'copy thing from stdin',
    'set local x = $1',
    '/* select */ lock table thing',
    '/* poolguard: no-prepare */ select $1',
    'select /*poolguard:no-prepare*/ $1',
    "select * from thing where at > 'now'::timestamptz and id = $1",
    "select * from thing where at >= ' Today' and id = $1",
    '',
    '((((((((((',
    '/*/ select $1',
  ])('is not "%s"', (text) => {
    expect(namesOf(make({ prepareThreshold: 0 }), text, 3)).toEqual([undefined, undefined, undefined])
  })

  test('has one name per text', () => {
    const names = ['select $1', 'select $2', 'select $1 '].map((text) => make({ prepareThreshold: 0 }).find(text)?.name)
    expect(new Set(names).size).toBe(3)
    expect(make({ prepareThreshold: 0 }).find('select $1')?.name).toBe(names[0])
  })

  test('is determined in linear time', () => {
    const statements = make({ prepareThreshold: 0 })
    for (const piece of ['/*', '/**/', '--\n', ' ', '(', '/* *']) {
      expect(statements.find(piece.repeat(9_000 / piece.length))).toBeUndefined()
    }
  })

  test('has at most 10,000 characters', () => {
    const statements = make({ prepareThreshold: 0 })
    expect(statements.find('select $1'.padEnd(10_000))?.name).toEqual(NAME)
    expect(statements.find('select $1'.padEnd(10_001))).toBeUndefined()
  })

  test('is not a text that never repeats, and memory for such texts is bounded', () => {
    const statements = make()
    for (let i = 0; i < 100_000; i++)
      expect(statements.find(`select * from thing where id in ($1, ${i})`)?.name).toBeUndefined()
    expect(statements.size).toBeLessThanOrEqual(2_000)
    for (let i = 0; i < 3_000; i++) statements.find(`select ${'x'.repeat(9_900)} ${i}`)
    expect(statements.size).toBeLessThanOrEqual(600)
    expect(namesOf(statements, TEXT, 6).at(-1)).toEqual(NAME)
  })
})

describe('whether statements are prepared, given', () => {
  test.for<[string, Topology | undefined, string | undefined, boolean, RegExp]>([
    ['no topology', undefined, undefined, false, /not been detected/],
    ['PostgreSQL itself', direct, undefined, true, /^PostgreSQL, directly$/],
    ['a pooler that keeps names', pooled(), undefined, true, /PgBouncer in transaction mode/],
    [
      'a pooler that does not keep names',
      { ...pooled(), preparedStatements: 'unsafe' },
      undefined,
      false,
      /statements unsafe/,
    ],
    ['a pooler of which this is unknown', { ...pooled(), preparedStatements: 'unknown' }, undefined, false, /unknown/],
    ['a pooler that pins', pooled(), 'it pins', false, /^it pins$/],
    ['a pooler in session mode that keeps no names', sessionPooled(), undefined, false, /max_prepared_statements 0/],
    ['a pooler in session mode that keeps names', sessionPooled(200), undefined, true, /session mode/],
  ])('%s', ([, topology, against, active, reason]) => {
    const statements = new AutomaticStatements({ prepareThreshold: 0 }, { against, onUnexpectedLoss: () => {} })
    if (topology) statements.setTopology(topology)
    expect(statements.state).toEqual({ active, reason: expect.stringMatching(reason) })
    expect(statements.find(TEXT)?.name).toEqual(active ? NAME : undefined)
  })

  test.for([
    [direct, undefined, 256],
    [direct, 10, 10],
    [pooled(), undefined, 100],
    [pooled(), 50, 50],
    [pooled(200), undefined, 200],
    [pooled(20), undefined, 20],
    [pooled(1_000), undefined, 256],
  ] as const)('at %o, given %s, at most %i on a connection', ([topology, maxPreparedStatements, most]) => {
    expect(
      make(maxPreparedStatements === undefined ? {} : { maxPreparedStatements }, topology).maxPreparedStatements,
    ).toBe(most)
  })
})

describe('after an error', () => {
  test('of a stale plan, without a pooler: the text is prepared again on every connection, once', () => {
    const statements = make({ prepareThreshold: 0 })
    const other = statements.find('select $1')?.name
    expect(statements.find(TEXT)?.name).toEqual(NAME)
    statements.onFailure('stale', TEXT)
    expect(statements.find(TEXT)?.name).toEqual(SECOND_NAME)
    statements.onFailure('stale', TEXT)
    expect(namesOf(statements, TEXT, 3)).toEqual([undefined, undefined, undefined])
    expect(statements.find('select $1')?.name).toBe(other)
    expect(lossWarnings).toEqual([])
  })

  test('of a plan that was replaced already: the text stays prepared', () => {
    const statements = make({ prepareThreshold: 0 })
    const first = statements.find(TEXT)?.name
    for (let connection = 0; connection < 3; connection++) statements.onFailure('stale', TEXT, first)
    expect(statements.find(TEXT)?.name).toEqual(SECOND_NAME)
  })

  test('in a transaction, which cannot be sent again: the text is no longer prepared, unless the data may be invalid', () => {
    for (const code of ['42804', 'XX000', '0A000']) {
      const statements = make({ prepareThreshold: 0 })
      statements.find(TEXT)
      statements.onFailureInTransaction('suspect', TEXT, '22P02')
      expect(statements.find(TEXT)?.name).toEqual(NAME)
      statements.onFailureInTransaction(code === '0A000' ? 'stale' : 'suspect', TEXT, code)
      expect(statements.find(TEXT)).toBeUndefined()
    }
    const pooledStatements = make({ prepareThreshold: 0 }, pooled())
    pooledStatements.find(TEXT)
    pooledStatements.onFailureInTransaction('suspect', TEXT, '22P02')
    expect(pooledStatements.find(TEXT)).toBeUndefined()
  })

  test('in a transaction, because of a plan or a type: no other statement fails a transaction for the same reason', () => {
    const statements = make({ prepareThreshold: 0 })
    const connection = new ConnectionStatements(statements)
    connection.use('other')
    statements.find(TEXT)
    statements.onFailureInTransaction('suspect', TEXT, '42501')
    expect(statements.mayNameInTransaction(statements.now())).toBe(true)
    statements.onFailureInTransaction('stale', TEXT, '0A000')
    expect(statements.mayNameInTransaction(statements.now())).toBe(false)
    expect(connection.has('other')).toBe(false)
  })

  test('of a plan that another connection has reported before: nothing else changes', () => {
    const statements = make({ prepareThreshold: 0 }, pooled())
    const first = statements.find(TEXT)?.name
    statements.onFailure('stale', TEXT, first)
    const { generation } = statements
    statements.onFailure('stale', TEXT, first)
    expect([statements.generation, statements.find(TEXT)]).toEqual([generation, undefined])
  })

  test('of a stale plan that is not in memory: the text is no longer prepared, and all connections parse theirs again', () => {
    const statements = make({ prepareThreshold: 0 })
    statements.onFailure('stale', TEXT)
    expect([statements.isExcluded(TEXT), statements.generation]).toEqual([true, 1])
    expect(statements.find(TEXT)).toBeUndefined()
    expect(statements.isExcluded('select $1')).toBe(false)
  })

  test('of a stale plan, behind a pooler: only that text is no longer prepared', () => {
    const statements = make({ prepareThreshold: 0 }, pooled())
    statements.find(TEXT)
    statements.onFailure('stale', TEXT)
    expect(namesOf(statements, TEXT, 3)).toEqual([undefined, undefined, undefined])
    for (let i = 0; i < 3_000; i++) statements.find(`select ${i}`)
    expect(namesOf(statements, TEXT, 3)).toEqual([undefined, undefined, undefined])
    expect(statements.find('select $1')?.name).toEqual(NAME)
  })

  test('of a lost statement: nothing is prepared until the next detection, and after three losses within an hour nothing for an hour', () => {
    const statements = make({ prepareThreshold: 0 })
    for (const duration of ['until', 'until', 'for the next hour']) {
      expect(statements.find(TEXT)?.name).toEqual(NAME)
      statements.onFailure('lost', TEXT)
      statements.onFailure('lost', TEXT)
      expect(lossWarnings.at(-1)).toContain(duration)
      expect(statements.find(TEXT)?.name).toBeUndefined()
      statements.setTopology(direct)
    }
    expect(lossWarnings).toHaveLength(3)
    expect(statements.state).toEqual({ active: false, reason: 'prepared statements were lost too often' })
  })
})

describe('the values of a prepared statement', () => {
  const [INT4, TEXT, TIMESTAMP] = [23, 25, 1114]

  function prepared(options: PrepareOptions = {}, topology: Topology = direct) {
    const statements = make({ prepareThreshold: 0, ...options }, topology)
    return { statements, statement: statements.find(TEXT_OF_NAME) as PreparedText }
  }
  const TEXT_OF_NAME = 'select * from thing where name = $1'

  test('are allowed once the server has reported safe types', () => {
    const { statements, statement } = prepared()
    expect(statements.allows(statement, ['a'], 0)).toBe(false)
    expect(statements.asksForTypes(statement, 0)).toBe(true)
    statements.onParameterTypes(statement, [TEXT], statement.name, 0)

    expect([statements.allows(statement, ['007'], 1), statements.asksForTypes(statement, 1)]).toEqual([true, false])
    expect(statements.find(TEXT_OF_NAME)).toBe(statement)
  })

  test('behind a pooler are those that the types of other clients read the same', () => {
    const { statements, statement } = prepared({}, pooled())
    statements.onParameterTypes(statement, [TEXT], statement.name, 0)

    expect(['abc', '007'].map((value) => statements.allows(statement, [value], 1))).toEqual([true, false])
  })

  test('are all allowed, and the pool queries no types, if the app wants all types prepared', () => {
    const { statements, statement } = prepared({ prepareTypes: 'all' })
    statements.onParameterTypes(statement, [TIMESTAMP], statement.name, 0)

    expect([statements.allows(statement, [new Date(0)], 0), statements.asksForTypes(statement, 0)]).toEqual([
      true,
      false,
    ])
    expect(statements.find(TEXT_OF_NAME)).toBe(statement)
  })

  test('of an unsafe type: the text runs without a name from then on', () => {
    const { statements, statement } = prepared()
    statements.onParameterTypes(statement, [TIMESTAMP], statement.name, 0)

    expect([statements.find(TEXT_OF_NAME), statements.isExcluded(TEXT_OF_NAME)]).toEqual([undefined, true])
    expect(statements.generation).toBe(0)
  })

  test('of another type than before: every connection parses the statement again, once', () => {
    const { statements, statement } = prepared()
    const { name } = statement
    statements.onParameterTypes(statement, [INT4], name, 0)
    statements.onParameterTypes(statement, [TEXT], name, 1)

    expect(statements.find(TEXT_OF_NAME)?.name).toEqual(SECOND_NAME)
    expect(statements.generation).toBe(1)
  })
})

describe('after a long time', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  test('losses of the hour before no longer count', () => {
    const now = vi.spyOn(systemClock, 'now')
    const statements = make({ prepareThreshold: 0 })
    const durations = [0, 1, 3_600_000, 3_600_001, 3_600_002].map((at) => {
      now.mockReturnValue(at)
      statements.setTopology(direct)
      statements.onFailure('lost', TEXT)
      return /until the topology|for the next hour/.exec(lossWarnings.at(-1) ?? '')?.[0]
    })

    const [until, hour] = ['until the topology', 'for the next hour']
    expect(durations).toEqual([until, until, until, until, hour])
  })

  test('transactions may use names again', () => {
    const now = vi.spyOn(systemClock, 'now').mockReturnValue(0)
    const statements = make({ prepareThreshold: 0 })
    statements.onFailureInTransaction('suspect', TEXT, 'XX000')
    now.mockReturnValue(3_600_000)

    expect([3_599_999, 3_600_000].map((at) => statements.mayNameInTransaction(at))).toEqual([false, true])
  })
})

describe('on one connection', () => {
  const connect = (maxPreparedStatements: number) => new ConnectionStatements(make({ maxPreparedStatements }))

  test('the least recently used statement is closed first', () => {
    const connection = connect(2)
    for (const name of ['a', 'b', 'a', 'c']) connection.use(name)
    expect(connection.takeClosing()).toEqual(['b'])
    expect(connection.takeClosing()).toEqual([])
    expect([connection.use('a'), connection.use('c'), connection.use('b')]).toEqual([false, false, true])
    expect(connection.takeClosing()).toEqual(['a'])
    expect(connection.size).toBe(2)
  })

  test('rejected and dropped statements are parsed again', () => {
    const connection = connect(5)
    connection.use('a')
    connection.onParseError('a')
    expect(connection.use('a')).toBe(true)
    connection.clear()
    expect([connection.use('a'), connection.takeClosing()]).toEqual([true, []])
    connection.invalidateAll()
    expect([connection.use('a'), connection.takeClosing()]).toEqual([true, ['a']])
    connection.invalidate('b')
    connection.invalidate('a')
    expect([connection.use('a'), connection.takeClosing()]).toEqual([true, ['a']])
  })

  test('after a lost statement all are parsed again', () => {
    const statements = make({ prepareThreshold: 0 })
    const connection = new ConnectionStatements(statements)
    connection.use('a')
    statements.onFailure('lost', TEXT)
    expect([connection.use('a'), connection.takeClosing(), connection.use('a')]).toEqual([true, ['a'], false])
  })
})
