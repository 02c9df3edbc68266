import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig({
  ...base,
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  dts: true,
  // CommonJS apps must load the CommonJS copy of @poolguard/pg, and Jest does not support `import()` in CommonJS.
  outputOptions: { ...base.outputOptions, dynamicImportInCjs: false, exports: 'named' },
})
