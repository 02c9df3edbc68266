import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // CommonJS apps have that copy of @poolguard/pg, and Jest knows no `import()` in CommonJS.
  outputOptions: { comments: { jsdoc: false }, dynamicImportInCjs: false, exports: 'named' },
})
