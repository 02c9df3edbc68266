import { describe, expect, test } from 'vitest'
import { defaultFile, obstacleOf } from './read-password-file.ts'

/** What `stat` of Node returns on Windows for every file that is not read-only. */
const MODE_ON_WINDOWS = 0o100666

describe('the default password file', () => {
  test.each<[platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string, path: string]>([
    ['linux', {}, '/home/ada', '/home/ada/.pgpass'],
    ['darwin', {}, '/Users/ada', '/Users/ada/.pgpass'],
    ['linux', { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' }, '/home/ada', '/home/ada/.pgpass'],
    ['win32', { APPDATA: 'D:\\Roaming' }, 'C:\\Users\\ada', 'D:\\Roaming\\postgresql\\pgpass.conf'],
    ['win32', {}, 'C:\\Users\\ada', 'C:\\Users\\ada\\AppData\\Roaming\\postgresql\\pgpass.conf'],
  ])('on %s with %o and the home directory %s, it is %s', (platform, env, home, path) => {
    expect(defaultFile({ platform, env, home }).path).toBe(path)
  })
})

describe('a password file that others may read', () => {
  test.each<NodeJS.Platform>(['linux', 'darwin'])('on %s, it is ignored', (platform) => {
    expect(obstacleOf(MODE_ON_WINDOWS, platform)).toContain('chmod 600')
    expect(obstacleOf(0o100600, platform)).toBeUndefined()
  })

  test('on Windows, modes say nothing about who may read it', () => {
    expect(obstacleOf(MODE_ON_WINDOWS, 'win32')).toBeUndefined()
  })
})
