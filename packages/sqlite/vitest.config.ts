import { defineProject } from 'vitest/config'
import { testSettings } from '../../test/test-settings.ts'

export default defineProject({ test: { include: ['src/**/*.test.ts'], ...testSettings } })
