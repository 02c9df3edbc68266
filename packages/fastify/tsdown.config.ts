import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  // CommonJS apps must load the CommonJS copy of @poolguard/pg, and Jest does not support `import()` in CommonJS.
  outputOptions: { comments: { jsdoc: false }, dynamicImportInCjs: false, exports: 'named' },
})
