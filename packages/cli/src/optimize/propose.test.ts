import { expect, test } from 'vitest'
import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import { type Proposal, propose } from './propose.ts'
import type { CurrentSetting, FileSetting, ServerState } from './server-state.ts'

const SERVER: Omit<ServerState, 'settings' | 'files'> = {
  version: '18.4',
  role: 'postgres',
  mayReload: true,
  alterSystemOff: false,
  standbys: 0,
  startedAt: '2026-11-21 12:00:00+00',
  dataDirectory: '/data',
}

const TIMEOUT: CurrentSetting = {
  name: 'idle_in_transaction_session_timeout',
  value: '0',
  unit: 'ms',
  context: 'user',
  source: 'default',
  file: null,
  line: null,
  pendingRestart: false,
  alterable: true,
}
const CONNECTIONS: CurrentSetting = {
  ...TIMEOUT,
  name: 'max_connections',
  value: '100',
  unit: null,
  context: 'postmaster',
  source: 'configuration file',
  file: '/data/postgresql.conf',
  line: 65,
}

interface Given {
  readonly setting: CurrentSetting
  readonly value?: string
  readonly wish?: RecommendedSetting['wish']
  readonly server?: Partial<ServerState>
}

function judge({ setting, value = '60s', wish = 'missing', server = {} }: Given): Proposal | undefined {
  const { name } = setting
  const recommended = { name, value, wish, reason: 'why', source: 'where' }
  const [proposal] = propose([recommended], { ...SERVER, files: [], ...server, settings: new Map([[name, setting]]) })
  return proposal
}

function written(value: string): readonly FileSetting[] {
  return [{ name: 'max_connections', value, place: '/data/postgresql.auto.conf:3', error: null }]
}

test.each<[given: string, facts: Given, expected: Partial<Proposal>]>([
  ['nothing set', { setting: TIMEOUT }, { standing: 'change', by: 'system', takesEffect: 'on reload' }],
  ['the same', { setting: { ...TIMEOUT, value: '60000' } }, { standing: 'fine', before: '1min' }],
  ['a value of somebody', { setting: { ...TIMEOUT, value: '300000' } }, { standing: 'kept', before: '5min' }],
  ["a role's own 0", { setting: { ...TIMEOUT, source: 'user' } }, { standing: 'kept' }],
  [
    'a role that may not ALTER SYSTEM',
    { setting: { ...TIMEOUT, alterable: false } },
    { standing: 'change', by: 'role', takesEffect: 'in new sessions' },
  ],
  [
    'a setting of the whole server for such a role',
    { setting: { ...CONNECTIONS, alterable: false }, value: '200', wish: 'asked' },
    { standing: 'elsewhere', note: expect.stringContaining('parameter group') },
  ],
  [
    'a value of the command line',
    { setting: { ...CONNECTIONS, source: 'command line' }, value: '200', wish: 'asked' },
    { standing: 'elsewhere', note: expect.stringContaining('command line') },
  ],
  [
    'a value of the environment that is not missing',
    { setting: { ...TIMEOUT, value: '5', source: 'environment variable' } },
    { standing: 'kept' },
  ],
  [
    "what is asked for, over a role's own",
    { setting: { ...TIMEOUT, value: '5', source: 'database' }, wish: 'asked' },
    { standing: 'elsewhere', note: expect.stringContaining('ALTER DATABASE') },
  ],
  [
    'more than there was',
    { setting: CONNECTIONS, value: '200', wish: 'asked' },
    { standing: 'change', takesEffect: 'after a restart', before: '100', after: '200' },
  ],
  [
    'less than somebody has set',
    { setting: CONNECTIONS, value: '50', wish: 'asked' },
    { standing: 'change', note: 'lowers the value set in /data/postgresql.conf:65' },
  ],
  [
    'an amount below what somebody has set',
    { setting: CONNECTIONS, value: '50', wish: 'amount' },
    { standing: 'kept' },
  ],
  [
    "an amount below PostgreSQL's own",
    { setting: { ...CONNECTIONS, source: 'default', file: null }, value: '50', wish: 'amount' },
    { standing: 'change', note: "lowers the value PostgreSQL's default" },
  ],
  [
    'what is written already',
    {
      setting: { ...CONNECTIONS, pendingRestart: true },
      value: '200',
      wish: 'asked',
      server: { files: written('200') },
    },
    { standing: 'waits' },
  ],
  [
    'another value that is written',
    {
      setting: { ...CONNECTIONS, pendingRestart: true },
      value: '200',
      wish: 'asked',
      server: { files: written('150') },
    },
    { standing: 'change' },
  ],
  [
    'a server with standbys',
    { setting: CONNECTIONS, value: '200', wish: 'asked', server: { standbys: 1 } },
    { standing: 'change', note: expect.stringContaining('standbys first') },
  ],
])('given %s', (_, facts, expected) => {
  expect(judge(facts)).toMatchObject(expected)
})

test('what somebody else has changed waits for a restart, too', () => {
  const libraries = { ...CONNECTIONS, name: 'shared_preload_libraries', value: '', pendingRestart: true }
  const files = [{ name: libraries.name, value: 'auto_explain', place: '/data/postgresql.conf:9', error: null }]
  const look = (state: Partial<ServerState>) =>
    propose([], { ...SERVER, files: [], settings: new Map([[libraries.name, libraries]]), ...state })

  expect(look({ files })).toMatchObject([{ name: libraries.name, standing: 'waits', after: 'auto_explain' }])
  expect(look({})).toMatchObject([{ standing: 'waits', after: 'a value that this role cannot see' }])
})

test('a setting that the server does not know is left out', () => {
  const wish: RecommendedSetting = { name: 'reserved_connections', value: '3', wish: 'asked', reason: '', source: '' }

  expect(propose([wish], { ...SERVER, files: [], settings: new Map() })).toEqual([])
})
