import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node22.13',
  dts: false,
  outputOptions: { comments: { jsdoc: false } },
})
