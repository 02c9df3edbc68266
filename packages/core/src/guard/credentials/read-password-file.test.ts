import { describe, expect, test } from 'vitest'
import { obstacleOf } from './read-password-file.ts'

/** What `stat` of Node returns on Windows for every file that is not read-only. */
const MODE_ON_WINDOWS = 0o100666

describe('a password file that others may read', () => {
  test.each<NodeJS.Platform>(['linux', 'darwin'])('on %s, it is ignored', (platform) => {
    expect(obstacleOf(MODE_ON_WINDOWS, platform)).toContain('chmod 600')
    expect(obstacleOf(0o100600, platform)).toBeUndefined()
  })

  test('on Windows, modes say nothing about who may read it', () => {
    expect(obstacleOf(MODE_ON_WINDOWS, 'win32')).toBeUndefined()
  })
})
