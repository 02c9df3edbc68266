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
  sessions: 0,
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
  readonly priority?: RecommendedSetting['priority']
  readonly server?: Partial<ServerState>
}

function judge({ setting, value = '60s', priority = 'default', server = {} }: Given): Proposal | undefined {
  const { name } = setting
  const recommended = { name, value, priority, reason: 'why', source: 'where' }
  const [proposal] = propose([recommended], { ...SERVER, files: [], ...server, settings: new Map([[name, setting]]) })
  return proposal
}

function written(value: string): readonly FileSetting[] {
  return [{ name: 'max_connections', value, place: '/data/postgresql.auto.conf:3', error: null }]
}

test.each<[given: string, facts: Given, expected: Partial<Proposal>]>([
  ['no value', { setting: TIMEOUT }, { standing: 'change', by: 'system', takesEffect: 'on reload' }],
  ['the recommended value', { setting: { ...TIMEOUT, value: '60000' } }, { standing: 'fine', before: '1min' }],
  ['a value set on purpose', { setting: { ...TIMEOUT, value: '300000' } }, { standing: 'kept', before: '5min' }],
  ["a role's own 0", { setting: { ...TIMEOUT, source: 'user' } }, { standing: 'kept' }],
  [
    'a role that may not ALTER SYSTEM',
    { setting: { ...TIMEOUT, alterable: false } },
    { standing: 'change', by: 'role', takesEffect: 'in new sessions' },
  ],
  [
    'a server-wide setting for such a role',
    { setting: { ...CONNECTIONS, alterable: false }, value: '200', priority: 'requested' },
    { standing: 'elsewhere', note: expect.stringContaining('parameter group') },
  ],
  [
    'a value from the command line',
    { setting: { ...CONNECTIONS, source: 'command line' }, value: '200', priority: 'requested' },
    { standing: 'elsewhere', note: expect.stringContaining('command line') },
  ],
  [
    'a value from the environment',
    { setting: { ...TIMEOUT, value: '5', source: 'environment variable' } },
    { standing: 'kept' },
  ],
  [
    "a requested value, over a role's own",
    { setting: { ...TIMEOUT, value: '5', source: 'database' }, priority: 'requested' },
    { standing: 'elsewhere', note: expect.stringContaining('ALTER DATABASE') },
  ],
  [
    'a higher requested value',
    { setting: CONNECTIONS, value: '200', priority: 'requested' },
    { standing: 'change', takesEffect: 'after a restart', before: '100', after: '200' },
  ],
  [
    'a requested value below one set on purpose',
    { setting: CONNECTIONS, value: '50', priority: 'requested' },
    { standing: 'change', note: 'lowers the current value (set in /data/postgresql.conf:65)' },
  ],
  [
    'a minimum below a value set on purpose',
    { setting: CONNECTIONS, value: '50', priority: 'minimum' },
    { standing: 'kept' },
  ],
  [
    "a minimum below PostgreSQL's default",
    { setting: { ...CONNECTIONS, source: 'default', file: null }, value: '50', priority: 'minimum' },
    { standing: 'change', note: "lowers the current value (PostgreSQL's default)" },
  ],
  [
    'a value that is set already',
    {
      setting: { ...CONNECTIONS, pendingRestart: true },
      value: '200',
      priority: 'requested',
      server: { files: written('200') },
    },
    { standing: 'waits' },
  ],
  [
    'another value that is set',
    {
      setting: { ...CONNECTIONS, pendingRestart: true },
      value: '200',
      priority: 'requested',
      server: { files: written('150') },
    },
    { standing: 'change' },
  ],
  [
    'a server with standbys',
    { setting: CONNECTIONS, value: '200', priority: 'requested', server: { standbys: 1 } },
    { standing: 'change', note: expect.stringContaining('standbys first') },
  ],
])('given %s', (_, facts, expected) => {
  expect(judge(facts)).toMatchObject(expected)
})

test('a setting that another session changed waits for a restart, too', () => {
  const libraries = { ...CONNECTIONS, name: 'shared_preload_libraries', value: '', pendingRestart: true }
  const files = [{ name: libraries.name, value: 'auto_explain', place: '/data/postgresql.conf:9', error: null }]
  const proposeFor = (state: Partial<ServerState>) =>
    propose([], { ...SERVER, files: [], settings: new Map([[libraries.name, libraries]]), ...state })

  expect(proposeFor({ files })).toMatchObject([{ name: libraries.name, standing: 'waits', after: 'auto_explain' }])
  expect(proposeFor({})).toMatchObject([{ standing: 'waits', after: 'a value that this role cannot see' }])
})

test('skips a setting that the server does not have', () => {
  const setting: RecommendedSetting = {
    name: 'reserved_connections',
    value: '3',
    priority: 'requested',
    reason: '',
    source: '',
  }

  expect(propose([setting], { ...SERVER, files: [], settings: new Map() })).toEqual([])
})
