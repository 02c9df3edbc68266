import { defineProject } from 'vitest/config'
import { timeouts } from '../../test/timeouts.ts'

export default defineProject({
  // Tests are slow on a busy machine.
  test: { include: ['src/**/*.test.ts'], ...timeouts },
})
