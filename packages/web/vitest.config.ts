import { defineProject } from 'vitest/config'
import { unitTestSettings } from '../../test/test-settings.ts'

export default defineProject({
  // Tests are slow on a busy machine.
  test: unitTestSettings,
})
