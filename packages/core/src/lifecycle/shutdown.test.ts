import { expect, test } from 'vitest'
import { defaultSignals, endingSignal } from './shutdown.ts'

test.each<[platform: NodeJS.Platform, signals: readonly NodeJS.Signals[]]>([
  ['linux', ['SIGTERM', 'SIGINT']],
  ['darwin', ['SIGTERM', 'SIGINT']],
  ['win32', ['SIGINT', 'SIGBREAK']],
])('on %s, a shutdown begins with %s', (platform, signals) => {
  expect(defaultSignals(platform)).toEqual(signals)
})

test.each<[received: NodeJS.Signals, platform: NodeJS.Platform, ending: NodeJS.Signals]>([
  ['SIGTERM', 'linux', 'SIGTERM'],
  ['SIGHUP', 'darwin', 'SIGHUP'],
  ['SIGINT', 'win32', 'SIGTERM'],
  ['SIGBREAK', 'win32', 'SIGTERM'],
  ['SIGHUP', 'win32', 'SIGTERM'],
])('after %s on %s, %s ends the process', (received, platform, ending) => {
  expect(endingSignal(received, platform)).toBe(ending)
})
