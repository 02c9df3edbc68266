import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/terminus.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Jest, with which Nest 11's projects begin, knows no import() in CommonJS.
  outputOptions: { comments: { jsdoc: false }, dynamicImportInCjs: false },
})
