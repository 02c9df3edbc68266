import { defineProject } from 'vitest/config'

export default defineProject({
  // Tests are slow on a busy machine.
  test: { include: ['src/**/*.test.ts'], testTimeout: 60_000 },
})
