import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/terminus.ts'],
  format: ['esm', 'cjs'],
  dts: true,
  // New Nest 11 projects use Jest, which does not support import() in CommonJS.
  outputOptions: { ...base.outputOptions, dynamicImportInCjs: false },
})
