import { expect, test } from 'vitest'
import { ListenTracker } from './listen-tracker.ts'

test.each<[steps: string, listening: boolean]>([
  ['', false],
  ['SELECT 1', false],
  ['LISTEN', true],
  ['LISTEN; SELECT 1; INSERT 0 1', true],
  ['LISTEN; UNLISTEN', false],
  ['LISTEN; LISTEN; UNLISTEN', true],
  ['LISTEN; LISTEN; UNLISTEN *', false],
  ['LISTEN; DISCARD ALL', false],
  ['BEGIN; LISTEN; COMMIT', true],
  ['BEGIN; LISTEN; ROLLBACK', false],
  ['START TRANSACTION; LISTEN; ROLLBACK', false],
  ['LISTEN; BEGIN; SELECT 1; ROLLBACK', true],
  ['LISTEN; ROLLBACK', true],
])('after %j a session listens: %s', (steps, listening) => {
  const tracker = new ListenTracker()
  for (const step of steps.split('; ')) tracker.onCommandComplete(step.replace(' *', ''), () => `${step}, in the text`)
  expect(tracker.listening).toBe(listening)
  tracker.reset()
  expect(tracker.listening).toBe(false)
})
