import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  sourcemap: true,
  // CommonJS apps have that copy of @poolguard/pg, and Jest knows no `import()` in CommonJS.
  outputOptions: { dynamicImportInCjs: false, exports: 'named' },
})
