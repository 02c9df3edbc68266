import { defineProject } from 'vitest/config'

export default defineProject({
  // A busy machine takes its time.
  test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
