import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  outputOptions: { comments: { jsdoc: false } },
})
