import { describe, expect, test } from 'vitest'
import { session, sessions } from '../doctor/testing/facts.ts'
import { CHAIN, Driven, key, sample } from './testing/drive.ts'

const LATER = '2026-11-29T14:03:13.000Z'

describe('the tables', () => {
  test.each([
    ['1', 'applications'],
    ['2', 'processes'],
    ['3', 'sessions'],
    ['4', 'blocking'],
    ['5', 'pools'],
    ['6', 'waits'],
  ])('key %s shows the %s', (text, table) => {
    expect(new Driven().send(text).state.table).toBe(table)
  })

  test('Tab and the arrows go round', () => {
    const top = new Driven()

    expect(top.send(key('left')).state.table).toBe('waits')
    expect(top.send(key('tab')).state.table).toBe('applications')
    expect(top.send(key('right')).state.table).toBe('processes')
    expect(top.send(key('shift tab')).state.table).toBe('applications')
  })
})

describe('the selection', () => {
  test('stays on its row when the rows move', () => {
    const top = new Driven().send('3', key('down'))
    expect(top.selected).toContain('300')
    top.send({ type: 'sample', sample: sample([session(999, { stateSeconds: 500 }), ...CHAIN], { time: LATER }) })

    expect(top.selected).toContain('300')
  })

  test('stays in its place when its row is gone, and within the rows', () => {
    const top = new Driven().send('3', key('end'))
    expect(top.state.cursors.sessions?.index).toBe(5)
    top.send({ type: 'sample', sample: sample(sessions(2)) })

    expect(top.selected).toContain('101')
  })

  test.each([
    ['down', 1],
    ['page down', 17],
    ['end', 39],
  ] as const)('%s selects row %i', (name, index) => {
    const top = new Driven(sample(sessions(40))).send('3', key(name))

    expect(top.state.cursors.sessions?.index).toBe(index)
    expect(top.selected).toContain(String(100 + index))
    expect(top.send(key('home'), key('up')).selected).toContain('100')
  })
})

describe('sorting', () => {
  test('s goes on to the next column, numbers with the largest first, and r reverses', () => {
    const top = new Driven()
    expect(top.selected).toContain('worker')
    expect(top.text).toContain('open-')
    top.send('r')
    expect(top.text).toContain('open+')
    expect(top.selected).toContain('web')
    top.send('s', 's', 's', 's')

    expect(top.text).toContain('in trans.-')
    expect(top.selected).toContain('orders')
    expect(top.send('s', 's').text).toContain('application+')
  })

  test('leaves the order of the blocking chains alone', () => {
    const top = new Driven().send('4')
    const before = top.text

    expect(top.send('s', 'r').text).toBe(before)
  })
})

describe('the filter', () => {
  test('hides the rows that do not contain it, while it is typed', () => {
    const top = new Driven().send('3', '/', 'WEB')

    expect(top.text).toContain('301')
    expect(top.text).not.toContain('300')
    expect(top.lines.at(-2)).toBe('/WEB_')
    top.send(key('enter'))
    expect(top.lines.at(-2)).toContain('filter: WEB')
    expect(top.send(key('escape')).text).toContain('300')
  })

  test('is what it was before after Escape, and Backspace removes a character', () => {
    const top = new Driven().send('/', '订单x', key('backspace'))

    expect(top.state.filter).toBe('订单')
    expect(top.send(key('enter'), '/', 'abc', key('escape')).state.filter).toBe('订单')
  })

  test('takes the keys of commands as text', () => {
    const top = new Driven().send('/', 'qt1')

    expect(top.state.filter).toBe('qt1')
    expect(top.effects).toEqual([])
  })
})

test('Space freezes what is shown, and the next one shows the last sample', () => {
  const top = new Driven().send(' ')
  top.send({ type: 'sample', sample: sample([], { time: LATER }) })

  expect(top.text).toContain('[frozen]')
  expect(top.text).toContain('worker')
  expect(top.send(' ').text).not.toContain('worker')
})

describe('Enter', () => {
  test('shows the sessions of an application, and Escape goes back', () => {
    const top = new Driven().send(key('down'), key('enter'))

    expect(top.text).toContain('only orders')
    expect(top.text).toContain('100')
    expect(top.text).not.toContain('200')
    expect(top.send(key('escape')).state).toMatchObject({ table: 'applications', scope: undefined })
    expect(top.selected).toContain('orders')
    expect(top.send(key('enter'), '3').text).toContain('200')
  })

  test.each([
    ['down', 1],
    ['page down', 10],
    ['end', 10],
  ] as const)('scrolls through long details with %s, and no further than their end', (name, scrolled) => {
    const top = new Driven().send('3', key('enter'))
    const [, , , blocker = session(0)] = CHAIN
    const query = Array.from({ length: 240 }, (_, each) => `c${each}`).join(', ')
    top.send({ type: 'details', session: blocker, details: { query, locks: [] } }, key(name))

    expect(top.state.mode).toMatchObject({ kind: 'details', scrolled })
    expect(top.send(key('end')).text).toContain('c239')
    expect(top.send(key('up'), key('home')).text).toContain('Session 100')
    expect(top.send(key('end'), { type: 'resize', size: { columns: 200, rows: 50 } }).text).toContain('Session 100')
  })

  test('shows the details of a session, reads them again with each sample, and says when it has ended', () => {
    const top = new Driven().send('3', key('enter'))
    expect(top.effects).toMatchObject([{ type: 'read details', session: { pid: 100 } }])
    const locks = [{ type: 'relation', mode: 'RowExclusiveLock', isGranted: true, relation: 'public.things', count: 2 }]
    const [, , , blocker = session(0)] = CHAIN
    top.send({ type: 'details', session: blocker, details: { query: 'update things set n = ? where x', locks } })

    expect(top.text).toContain('update things set n = ? where x')
    expect(top.text).toContain('RowExclusiveLock public.things x 2')
    expect(top.text).toMatch(/blocks +300/)
    expect(top.send({ type: 'sample', sample: sample() }).effects).toMatchObject([{ type: 'read details' }])
    top.send({ type: 'sample', sample: sample([]) })
    expect(top.text).toContain('has ended')
    expect(top.effects).toEqual([])
    expect(top.send('t').state.mode.kind).toBe('details')
    expect(top.send(key('escape')).state.mode.kind).toBe('table')
  })

  test('drops the details of another session', () => {
    const top = new Driven().send('3', key('enter'))
    top.send({ type: 'details', session: session(7), details: { error: 'wrong' } })

    expect(top.text).not.toContain('wrong')
  })
})

describe('ending a session', () => {
  test.each([
    ['t', 'terminate', 'Terminate this session?'],
    ['c', 'cancel', 'Cancel its statement?'],
  ])('%s asks first, and y does it', (command, signal, question) => {
    const top = new Driven().send('3', command)
    expect(top.text).toContain(question)
    expect(top.lines.at(-2)).toContain('pid 100, orders, app, idle in transaction for 74 s')
    expect(top.effects).toEqual([])
    top.send('y')

    expect(top.effects).toMatchObject([{ type: 'signal', signal, session: { pid: 100 } }])
  })

  test.each(['n', 't', ' '])('any other key, such as %j, does nothing', (text) => {
    expect(new Driven().send('3', 't', text).effects).toEqual([])
  })

  test('ends the session that the question was about, although the rows have moved', () => {
    const top = new Driven().send('3', 't')
    top.send({ type: 'sample', sample: sample([session(999, { stateSeconds: 500 }), ...CHAIN]) }, 'y')

    expect(top.effects).toMatchObject([{ session: { pid: 100 } }])
  })

  test.each([
    ['sent', 'Terminated the session of pid 100.'],
    ['changed', 'pid 100 has ended or gone on in the meantime: nothing was done.'],
    [{ error: 'permission denied', isDenied: true }, 'Connect as app or a superuser, or grant pg_signal_backend.'],
    [{ error: 'no connection', isDenied: false }, 'pid 100: no connection'],
  ] as const)('says what came of it, until the next key: %o', (result, text) => {
    const top = new Driven(sample(), { columns: 120, rows: 30 })
    top.send({ type: 'signalled', signal: 'terminate', session: session(100), result })

    expect(top.lines.at(-2)).toContain(text)
    expect(top.send(key('down')).text).not.toContain(text)
  })

  test('a session that the role may not see cannot be ended', () => {
    const hidden = session(100, { state: null, startedAt: null, query: null })
    const top = new Driven(sample([hidden]), { columns: 160, rows: 24 }).send('3', 't')

    expect(top.state.mode.kind).toBe('table')
    expect(top.text).toContain('grant pg_read_all_stats and pg_signal_backend')
  })

  test('a row that counts sessions says what to do first, and others that they are no session', () => {
    expect(new Driven().send('t').text).toContain('Press Enter first')
    expect(new Driven().send('5', 't').text).toContain('No session is selected.')
  })
})

test.each([['q'], [key('ctrl c')]])('%o quits', (event) => {
  expect(new Driven().send(event).effects).toEqual([{ type: 'quit' }])
  expect(new Driven().send('3', key('enter'), event).effects).toEqual([{ type: 'quit' }])
  expect(new Driven().send('?', event).effects).toEqual([{ type: 'quit' }])
})

test('a server that does not answer leaves its last answer in view', () => {
  const top = new Driven()
  top.send({ type: 'sample', sample: sample([], { time: LATER, server: { error: 'connect ECONNREFUSED' } }) })
  top.send({ type: 'sample', sample: sample([], { server: { error: 'connect ECONNREFUSED again' } }) })

  expect(top.state.current?.server.outage?.since).toBe(LATER)
  expect(top.text).toContain('no answer from the server; retrying. connect ECONNREFUSED again')
  expect(top.text).toContain('worker')
  expect(top.send({ type: 'sample', sample: sample() }).text).not.toContain('no answer')
})
