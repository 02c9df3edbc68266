import { pageFiles } from '@poolguard/page'
import { defineConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

export default defineConfig({
  ...base,
  entry: ['src/index.ts', 'src/adapter.ts'],
  format: ['esm', 'cjs'],
  dts: true,
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
