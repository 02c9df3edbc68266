import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/node-postgres.ts', 'src/postgres-js.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
})
