import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/node-postgres.ts', 'src/postgres-js.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  outputOptions: { comments: { jsdoc: false } },
})
