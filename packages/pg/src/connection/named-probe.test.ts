import { expect, test } from 'vitest'
import { NamedProbe } from './named-probe.ts'

test.each<[how: string, end: (probe: NamedProbe) => void]>([
  ['an answer', (probe) => probe.handleReadyForQuery()],
  ['an error', (probe) => probe.handleError(new Error('gone'))],
])('%s stops the timer of query_timeout', (_, end) => {
  const probe = new NamedProbe('name', 'select 1')
  let stopped = false
  probe.callback = () => {
    stopped = true
  }

  end(probe)

  expect(stopped).toBe(true)
})
