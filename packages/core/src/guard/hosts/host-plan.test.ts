import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseConnectionString } from '../../connection-string/index.ts'
import { readConnection } from '../../drivers/index.ts'
import { type HostOptions, planHosts } from './host-plan.ts'

function planFor(url: string | undefined, options: HostOptions = {}) {
  const reading = url === undefined ? undefined : readConnection(parseConnectionString(url))
  return planHosts({ servers: [{ host: 'localhost', port: 5432 }], options, reading, defaultPort: 5432 })
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the plan for hosts', () => {
  test.each(['postgres://db/x', 'postgres://db:6432/x?load_balance_hosts=random', 'postgres:///x', undefined])(
    'one host without requirements needs no plan: %s',
    (url) => {
      expect(planFor(url)).toBeUndefined()
    },
  )

  test.each([
    ['postgres://a,b:5433/x', ['a:5432', 'b:5433']],
    ['postgres://[::1]:1,b/x', ['::1:1', 'b:5432']],
    ['host=a,b port=1,2', ['a:1', 'b:2']],
    ['host=a,b port=6432', ['a:6432', 'b:6432']],
    ['host=a,/tmp', ['a:5432', '/tmp:5432']],
    ['host=a, dbname=x', ['a:5432', 'localhost:5432']],
  ])('%s', (url, servers) => {
    expect(planFor(url)?.servers.map(({ host, port }) => `${host}:${port}`)).toEqual(servers)
  })

  test('a port alone applies to the hosts of the options or the environment', () => {
    expect(planFor('port=5433 target_session_attrs=primary')?.servers).toEqual([{ host: 'localhost', port: 5433 }])
  })

  test('hostaddr alone names the hosts', () => {
    expect(planFor('hostaddr=10.0.0.1,10.0.0.2 port=5433')?.servers).toEqual([
      { host: '10.0.0.1', port: 5433, address: '10.0.0.1' },
      { host: '10.0.0.2', port: 5433, address: '10.0.0.2' },
    ])
    expect(planFor('hostaddr=10.0.0.1,10.0.0.2')?.servers.map(({ host }) => host)).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  test('hostaddr says where to connect, and host is the name for TLS', () => {
    expect(planFor('host=db hostaddr=10.0.0.1')?.servers).toEqual([{ host: 'db', port: 5432, address: '10.0.0.1' }])
    expect(planFor('host=a,b hostaddr=10.0.0.1,10.0.0.2')?.servers).toEqual([
      { host: 'a', port: 5432, address: '10.0.0.1' },
      { host: 'b', port: 5432, address: '10.0.0.2' },
    ])
    expect(() => planFor('host=a,b hostaddr=10.0.0.1')).toThrow('there are 2 hosts and 1 addresses')
  })

  test('options come before the URL, and the URL before the environment', () => {
    vi.stubEnv('PGTARGETSESSIONATTRS', 'standby')
    vi.stubEnv('PGLOADBALANCEHOSTS', 'random')
    expect(planFor(undefined)).toMatchObject({ target: 'standby', isRandom: true })
    const url = 'postgres://a,b/x?target_session_attrs=primary&load_balance_hosts=disable'
    expect(planFor(url)).toMatchObject({ target: 'primary', isRandom: false })
    expect(planFor(url, { targetSessionAttrs: 'any', loadBalanceHosts: 'random' })).toMatchObject({
      target: 'any',
      isRandom: true,
    })
  })

  test('an unknown value is rejected, with the known ones', () => {
    const known = 'any, read-write, read-only, primary, standby, prefer-standby'
    expect(() => planFor('postgres://db/x?target_session_attrs=writer')).toThrow(
      `target_session_attrs takes one of ${known}`,
    )
    expect(() => planFor('postgres://db/x?load_balance_hosts=yes')).toThrow(
      'load_balance_hosts takes one of disable, random',
    )
    expect(() => planFor(undefined, { targetSessionAttrs: 'writer' as never })).toThrow(
      'Invalid option targetSessionAttrs',
    )
    vi.stubEnv('PGTARGETSESSIONATTRS', 'writer')
    expect(() => planFor(undefined)).toThrow('Invalid option PGTARGETSESSIONATTRS')
  })
})
