import { afterAll, expect, vi } from 'vitest'

/** The prefix of the names of `ProcessWide` in packages/core/src/process-wide.ts. */
const PREFIX = 'poolguard.'

// Runs before each test file. The files of a project share processes, as `isolate` in test-settings.ts says, so each file
// starts without the pools that another one has left.
const cells = globalThis as unknown as Record<symbol, { value: unknown } | undefined>
for (const key of Object.getOwnPropertySymbols(cells)) {
  const cell = key.description?.startsWith(PREFIX) ? cells[key] : undefined
  if (cell) cell.value = undefined
}

/** What a test file has to restore, because the next one in the same process would see it. */
function sharedState() {
  return {
    environment: { ...process.env },
    directory: process.cwd(),
    listeners: Object.fromEntries(process.eventNames().map((name) => [name, process.listenerCount(name)])),
    stackTraceLimit: Error.stackTraceLimit,
    hasFakeTimers: vi.isFakeTimers(),
  }
}

const before = sharedState()
afterAll(() => {
  expect(sharedState()).toEqual(before)
})
