import { defineConfig } from 'tsdown'

const common = {
  target: 'node22.12',
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
} as const

export default defineConfig([
  { ...common, entry: ['src/index.ts', 'src/drizzle.ts'], format: ['esm', 'cjs'], dts: true },
  // One file that either format starts as a thread.
  { ...common, entry: ['src/thread/worker.ts'], format: ['esm'], dts: false, clean: false },
])
