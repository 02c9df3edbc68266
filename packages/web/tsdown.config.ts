import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/adapter.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  outputOptions: { comments: { jsdoc: false } },
})
