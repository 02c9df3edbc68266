import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/engine.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
})
