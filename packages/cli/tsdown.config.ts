import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node22.13',
  dts: false,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
})
