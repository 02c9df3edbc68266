import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    adapter: 'src/adapter.ts',
    postgres: 'src/postgres.ts',
    dashboards: 'src/dashboards/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  outputOptions: {
    comments: { jsdoc: false },
    // One file for what several entries load: an import of ten small files takes longer than one of a large file.
    codeSplitting: { groups: [{ name: 'shared', test: /(?<!\.d)\.ts$/, tags: ['$initial'], minShareCount: 2 }] },
  },
})
