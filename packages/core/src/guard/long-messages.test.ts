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

/** What a pattern may get to see of a message, and what a text of ours may quote of it. */
const MAX_SEEN = 4_096
const MAX_TOLD = 2 * MAX_SEEN

const STATE: PoolState = {
  ...{ name: 'app', max: 1, total: 0, idle: 0, active: 0, waiting: 1, connecting: 0 },
  ...{ oldestLeases: [], deadlocked: false },
} as never

/** Everything in the way of a text that a server has sent. What is returned is what of it is told. */
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
    const told: string[] = []
    new StartupParameters((message) => told.push(message)).learn(error, { geqo: 'off', options: '-c geqo=off' })
    return told.join('')
  },
  ConnectError: (error) => new ConnectError('app', error, 'Do something').message,
  AcquireTimeoutError: (error) =>
    ['full', 'unavailable', 'permanent'].map((failure) => {
      return new AcquireTimeoutError(1, { ...STATE, trouble: { failure, error } as never }).message
    })[0],
}

/** Each would be read from the beginning again at each place where a pattern may begin. */
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
    'given a message of %i characters of %j, then patterns see its beginning only, and little of it is told',
    (size, text) => {
      let longest = 0
      const exec = RegExp.prototype.exec
      vi.spyOn(RegExp.prototype, 'exec').mockImplementation(function (this: RegExp, input: string) {
        longest = Math.max(longest, input.length)
        return exec.call(this, input)
      })
      const message = text.repeat(size / text.length)
      const told: unknown[] = []
      for (const code of ['08P01', '28000', '53300', 'XX000', '']) {
        told.push(read(Object.assign(new Error(message), { code, severity: 'FATAL' })))
      }
      vi.restoreAllMocks()

      expect(longest).toBeLessThanOrEqual(MAX_SEEN + 100)
      for (const each of told) expect(String(each).length).toBeLessThan(MAX_TOLD)
    },
  )
})
