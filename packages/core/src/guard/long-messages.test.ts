import { afterEach, describe, expect, test, vi } from 'vitest'
import { AcquireTimeoutError, ConnectError, type PoolState } from '../pool/index.ts'
import {
  adviseConnectFailure,
  classifyConnectFailure,
  isKilledByPooler,
  isPoolTimeout,
  isServerAbsent,
  isTooManyConnections,
  isWrongPassword,
  SessionHealth,
  SharedHealth,
} from '../postgres-errors/index.ts'
import { classifyStatementFailure } from '../statements/index.ts'
import { describeProbeFailure } from '../topology/index.ts'
import { StartupParameters } from './driver-kit/startup-parameters.ts'

/** Maximum of characters of a message that patterns match, and that errors quote. */
const MAX_SEEN = 4_096
const MAX_QUOTED = 2 * MAX_SEEN

const STATE: PoolState = {
  ...{ name: 'app', max: 1, limit: 1, total: 0, idle: 0, active: 0, waiting: 1, connecting: 0 },
  ...{ oldestLeases: [], deadlocked: false },
} as never

/** Every function that handles a message of a server. Each returns the text that quotes it. */
const READERS: Readonly<Record<string, (error: Error) => unknown>> = {
  classifyConnectFailure: (error) => classifyConnectFailure(error, { passwordMayChange: true }),
  isWrongPassword,
  isServerAbsent,
  isPoolTimeout,
  isTooManyConnections,
  isKilledByPooler,
  adviseConnectFailure: (error) => adviseConnectFailure(error, { neverReached: true, killed: false }),
  classifyStatementFailure,
  describeProbeFailure,
  SessionHealth: (error) => new SessionHealth(new SharedHealth(), 0).failed(error),
  StartupParameters: (error) => {
    const quoted: string[] = []
    new StartupParameters((message) => quoted.push(message)).learn(error, { geqo: 'off', options: '-c geqo=off' })
    return quoted.join('')
  },
  ConnectError: (error) => new ConnectError('app', error, 'Do something').message,
  AcquireTimeoutError: (error) =>
    ['full', 'unavailable', 'permanent'].map((failure) => {
      return new AcquireTimeoutError(1, { ...STATE, trouble: { failure, error } as never }).message
    })[0],
}

/** Texts that would make a pattern with quadratic backtracking slow. */
const REPEATED = [
  'no pg_hba.conf entry for ',
  'unsupported startup parameter: ',
  '"',
  '$1',
  ' - a:1',
  '/*',
  'role "',
  '\n',
]
const SIZES = [100_000, 10_000_000]

afterEach(() => vi.restoreAllMocks())

describe.each(Object.entries(READERS))('%s', (_name, read) => {
  test.each(SIZES.flatMap((size) => REPEATED.map((text) => [size, text] as const)))(
    'given a message of %i characters of %j, then patterns match only its beginning, and errors quote little of it',
    (size, text) => {
      let longest = 0
      const exec = RegExp.prototype.exec
      vi.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, input: string) {
        longest = Math.max(longest, input.length)
        return exec.call(this, input)
      })
      const message = text.repeat(size / text.length)
      const quoted: unknown[] = []
      for (const code of ['08P01', '28000', '53300', 'XX000', '']) {
        quoted.push(read(Object.assign(new Error(message), { code, severity: 'FATAL' })))
      }
      vi.restoreAllMocks()

      expect(longest).toBeLessThanOrEqual(MAX_SEEN + 100)
      for (const each of quoted) expect(String(each).length).toBeLessThan(MAX_QUOTED)
    },
  )
})
