import { defineProject } from 'vitest/config'
import { testSettings } from '../../test/test-settings.ts'

export default defineProject({
  // Tests are slow on a busy machine.
  test: { include: ['src/**/*.test.ts'], ...testSettings },
})
