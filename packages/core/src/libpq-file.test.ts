import { expect, test } from 'vitest'
import { libpqFile, type Surroundings } from './libpq-file.ts'

test.each<[platform: NodeJS.Platform, env: Surroundings['env'], home: string, path: string]>([
  ['linux', {}, '/home/ada', '/home/ada/.pgpass'],
  ['darwin', {}, '/Users/ada', '/Users/ada/.pgpass'],
  ['linux', { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' }, '/home/ada', '/home/ada/.pgpass'],
  ['win32', { APPDATA: 'D:\\Roaming' }, 'C:\\Users\\ada', 'D:\\Roaming\\postgresql\\pgpass.conf'],
  ['win32', {}, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Roaming\\postgresql\\pgpass.conf'],
  ['win32', { APPDATA: '' }, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Roaming\\postgresql\\pgpass.conf'],
])('on %s with %o and the home directory %s, the password file is %s', (platform, env, home, path) => {
  expect(libpqFile('.pgpass', 'pgpass.conf', { platform, env, home }).path).toBe(path)
})
