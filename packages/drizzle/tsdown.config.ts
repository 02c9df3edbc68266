import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig({
  ...base,
  entry: ['src/node-postgres.ts', 'src/postgres-js.ts'],
  format: ['esm', 'cjs'],
  dts: true,
})
