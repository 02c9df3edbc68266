import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/terminus.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  // New Nest 11 projects use Jest, which does not support import() in CommonJS.
  outputOptions: { comments: { jsdoc: false }, dynamicImportInCjs: false },
})
