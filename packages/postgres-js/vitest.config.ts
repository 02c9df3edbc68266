import { defineProject } from 'vitest/config'
import { unitTestSettings } from '../../test/test-settings.ts'

export default defineProject({
  test: unitTestSettings,
})
