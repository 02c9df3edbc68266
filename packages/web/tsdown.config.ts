import { pageFiles } from '@poolguard/page'
import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: ['src/index.ts', 'src/adapter.ts'],
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  // Without the comments that name the source of each part.
  inputOptions: { experimental: { attachDebugInfo: 'none' } },
  outputOptions: { comments: { jsdoc: false } },
  plugins: [
    {
      // The package contains the built page; the workspace builds it at its first use.
      name: 'built page',
      resolveId: (id) => (id === '@poolguard/page' ? '\0built-page' : undefined),
      load: async (id) =>
        id === '\0built-page' ? `export const pageFiles = async () => ${JSON.stringify(await pageFiles())}` : undefined,
    },
  ],
})
