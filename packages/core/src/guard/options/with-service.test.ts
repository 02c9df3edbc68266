import { expect, test } from 'vitest'
import { systemDirectories } from './with-service.ts'

test.each<[platform: NodeJS.Platform, sysconfdir: string | undefined, directories: unknown]>([
  ['linux', undefined, expect.arrayContaining(['/etc/postgresql-common'])],
  ['darwin', undefined, expect.arrayContaining(['/opt/homebrew/etc/postgresql', '/usr/local/etc/postgresql'])],
  ['win32', undefined, []],
  ['win32', 'C:\\PostgreSQL\\etc', ['C:\\PostgreSQL\\etc']],
  ['linux', '/srv/etc', ['/srv/etc']],
])(
  'on %s with the PGSYSCONFDIR %s, the service file of the system is sought in %o',
  (platform, sysconfdir, directories) => {
    expect(systemDirectories(sysconfdir, platform)).toEqual(directories)
  },
)
