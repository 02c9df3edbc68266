import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { session, sessions } from '../../doctor/testing/facts.ts'
import { widthOf } from '../../output/layout.ts'
import { forgetSecrets, rememberSecret, withPlainTexts } from '../../output/printable.ts'
import { selectLanguage } from '../../output/translate.ts'
import { CHAIN, Driven, key, sample, TIME } from '../testing/drive.ts'
import { toText } from './line.ts'
import { render } from './render.ts'

afterEach(() => {
  selectLanguage('en')
  forgetSecrets()
})

const POOLER = {
  pools: [
    {
      ...{ database: 'app', user: 'app', clientsActive: 5, clientsWaiting: 6, maxWaitMillis: 3_200 },
      ...{ serversActive: 5, serversIdle: 0, poolSize: 5, paused: false },
    },
  ],
}
const APP = {
  address: 'http://127.0.0.1:3000/admin/db-pool-stats',
  sample: {
    ...{ time: '2026-11-29T14:03:11.000Z', status: 'critical' },
    pools: [
      {
        ...{ name: 'main', target: 'db/app', status: 'critical', inUse: 9, idle: 1, waiting: 4, max: 10 },
        ...{ timeouts: 2, suspectedLeaks: 1, lanes: [{ name: 'jobs', active: 1, max: 4, waiting: 3 }] },
      },
    ],
  },
}
const LIMITS = [{ kind: 'role', name: 'app', limit: 20 }] as const
const SERVER = { openSlots: 97, sessions: CHAIN, unlisted: 0, limits: LIMITS }
const FULL = sample(CHAIN, { server: SERVER, pooler: POOLER, apps: [APP] })

describe('in 80 x 24', () => {
  const lines = (...keys: readonly string[]) => new Driven(FULL).send(...keys).lines

  test('shows connections of the limit, applications and roles', () => {
    const shown = lines()

    expect(shown).toHaveLength(24)
    expect(shown[1]).toBe('6 of 97 connections ..... 6 %  2 blocked, 0 active, 1 in transaction, 3 idle')
    expect(shown[2]).toBe('PgBouncer: 5 in use, 6 wait (3 s)  Apps: 9 of 10 in use, 4 wait')
    expect(shown.slice(4, 8)).toEqual([
      '  application       role        open-      of  active   idle  in trans.  blocked',
      '> worker            app             3    20 *       0      3          0        0',
      '  orders            app             2    20 *       0      0          1        1',
      '  web               app             1    20 *       0      0          0        1',
    ])
  })

  test('shows each blocking chain as a tree', () => {
    expect(lines('4').slice(4, 8)).toEqual([
      '  pid               blocks application    state                   for statement',
      '> 100                    2 orders         idle in transaction    74 s update thi',
      '  +- 300                 1 orders         waits for a lock       70 s update thi',
      '    +- 301                 web            waits for a lock       60 s update thi',
    ])
  })

  test('counts all that wait behind a session, not only for it', () => {
    const [blocker = session(0), ...behind] = CHAIN.slice(3)
    const last = session(302, { state: 'active', lockWaitSeconds: 50, blockedBy: [300, 301] })
    const top = new Driven(sample([blocker, ...behind, last])).send('4')

    expect(top.lines.slice(5, 9).map((line) => line.slice(2, 26).trim().split(/ +/))).toEqual([
      ['100', '3'],
      ['+-', '300', '2'],
      ['+-', '301', '1'],
      ['+-', '302'],
    ])
  })

  test('shows the pools of PgBouncer and of apps', () => {
    expect(lines('5').slice(4, 7)).toEqual([
      '  pool              source           in use   max  idle waiting-   wait status',
      '> app/app           PgBouncer             5     5     0        6    3 s',
      '  main              127.0.0.1:3000/       9    10     1        4        critical',
    ])
  })

  test('shows which app does not answer, and its error after Enter', () => {
    const silent = {
      address: 'http://127.0.0.1:3001/admin',
      sample: { time: TIME, error: 'connect ECONNREFUSED 127.0.0.1:3001' },
    }
    const top = new Driven(sample(CHAIN, { server: SERVER, pooler: POOLER, apps: [APP, silent] })).send('5')

    expect(top.lines[2]).toBe(
      'PgBouncer: 5 in use, 6 wait (3 s)  Apps: no answer from 1, 9 of 10 in use, 4 wait'.slice(0, 80),
    )
    expect(top.lines[7]).toMatch(/^ {2}no answer: connec 127\.0\.0\.1:3001/)
    expect(top.send(key('end'), key('enter')).lines.slice(-2).join(' ')).toContain('ECONNREFUSED 127.0.0.1:3001')
  })

  test('shows what sessions wait for', () => {
    expect(lines('6').slice(5, 8).join('\n')).toContain('Lock: transactionid')
  })
})

test.each(['en', 'zh'] as const)('the keys fit into 80 columns in %s', (language) => {
  selectLanguage(language)
  const wide = new Driven(sample(), { columns: 300, rows: 24 }).send('?')

  for (const line of wide.lines.slice(4)) expect(widthOf(line), line).toBeLessThanOrEqual(80)
  for (const keys of ['3', '3e', '3t']) {
    wide.send(key('escape'), ...[...keys].map((each) => (each === 'e' ? key('enter') : each)))
    expect(widthOf(wide.lines.at(-1) ?? ''), keys).toBeLessThanOrEqual(80)
  }
})

test('a long notice takes the line of the keys, too', () => {
  const hidden = session(100, { state: null, startedAt: null, query: null, role: 'postgres' })
  const top = new Driven(sample([hidden])).send('3', 't')

  expect(top.lines.slice(-2).join(' ')).toMatch(/^pid 100: .* grant pg_read_all_stats and pg_signal_backend\.$/)
  expect(top.send('j').lines.at(-1)).toContain('q quit')
})

test('a wider screen has more columns, and the text of statements gets the space', () => {
  const top = new Driven(FULL, { columns: 160, rows: 40 }).send('3')

  expect(top.text).toContain('update things set n = 3')
  expect(top.text).toContain('waits for')
  expect(top.lines).toHaveLength(40)
})

test('a wide screen has the lanes of pools', () => {
  expect(new Driven(FULL, { columns: 160, rows: 40 }).send('5').text).toContain('jobs 1/4 +3')
  expect(new Driven(FULL, { columns: 100, rows: 40 }).send('5').text).not.toContain('jobs')
})

test('a small terminal says so', () => {
  expect(new Driven(FULL, { columns: 30, rows: 24 }).text.trim()).toBe('The terminal is too small: 40')
  expect(new Driven(FULL, { columns: 80, rows: 5 }).lines).toHaveLength(5)
})

test('the selected row is in view in a long table', () => {
  const top = new Driven(sample(sessions(500)), { columns: 80, rows: 24 }).send('3')

  for (const name of ['end', 'page up', 'home', 'page down'] as const) expect(top.send(key(name)).selected).not.toBe('')
})

describe('what a server says', () => {
  /** Controls and marks of direction, line ends aside. */
  const ACTING = /(?!\n)[\p{Cc}\u202e]/u
  const HOSTILE = '\u001b[2J\u001b]0;title\u0007\u009b31m\r\nroot\u202e'

  test('cannot act on the terminal', () => {
    const top = new Driven(sample([session(1, { application: HOSTILE, role: HOSTILE, query: HOSTILE })]))

    for (const keys of ['1', '2', '3', '6']) expect(top.send(keys).text).not.toMatch(ACTING)
    expect(top.send('3', 't').text).not.toMatch(ACTING)
    expect(top.send('n', key('enter')).text).not.toMatch(ACTING)
  })

  test('cannot show a secret of this command, whole or cut', () => {
    rememberSecret('s3cr3t-passw0rd-of-the-app')
    const query = `${'x'.repeat(10)} s3cr3t-passw0rd-of-the-app`
    const top = new Driven(sample([session(1, { application: 's3cr3t-passw0rd-of-the-app', query })])).send('3')

    expect(top.text).not.toContain('s3cr3t')
    expect(top.send(key('enter')).text).not.toContain('s3cr3t')
  })

  test.each([
    [80, 24],
    [120, 30],
    [43, 10],
  ])('fits into %i x %i, whatever it is', (columns, rows) => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.constantFrom('1', '2', '3', '4', '5', '6', '3e', '3t', '?'),
        (name, role, query, keys) => {
          const list = withPlainTexts(CHAIN.map((each) => ({ ...each, application: name, role, query })))
          const top = new Driven(sample(list), { columns, rows })
          for (const each of keys) top.send(each === 'e' ? key('enter') : each)
          expect(top.lines).toHaveLength(rows)
          for (const line of top.lines) expect(widthOf(line)).toBeLessThanOrEqual(columns)
        },
      ),
      { numRuns: 60 },
    )
  })
})

test('wide characters take two columns', () => {
  selectLanguage('zh')
  const top = new Driven(sample([...sessions(2, { application: '订单服务订单服务订单服务' }), ...sessions(1, {}, 200)]))
  const [first = '', second = ''] = top.lines.slice(5)

  expect(top.text).toContain('应用')
  expect(widthOf(first.slice(0, first.indexOf('app')))).toBe(widthOf(second.slice(0, second.indexOf('app'))))
})

test('every styled piece ends before the next one begins', () => {
  const top = new Driven(FULL)
  const painted = render(top.state).map((line) => toText(line, 80, (style, text) => `<${style}>${text}</>`))

  expect(painted[5]).toMatch(/^<inverse>> <\/>/)
  for (const line of painted) expect(line.match(/<[a-z]+>/g)?.length ?? 0).toBe(line.match(/<\/>/g)?.length ?? 0)
})
