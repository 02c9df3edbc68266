import { defineProject } from 'vitest/config'
import { timeouts } from '../../test/timeouts.ts'

export default defineProject({
  test: { include: ['src/**/*.test.ts'], ...timeouts },
})
