import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig({
  ...base,
  entry: ['src/main.ts'],
  format: ['esm'],
  target: 'node22.13',
  dts: false,
})
