import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig([
  { ...base, entry: ['src/index.ts', 'src/drizzle.ts'], format: ['esm', 'cjs'], dts: true },
  // One file that either format starts as a thread.
  { ...base, entry: ['src/thread/worker.ts'], format: ['esm'], dts: false, clean: false },
])
