import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const config: NextConfig = {
  // Only needed in this repository, whose unbuilt packages are TypeScript. An app that installs the packages needs none of these settings.
  transpilePackages: ['@poolguard/core', '@poolguard/drizzle', '@poolguard/pg', '@poolguard/web'],
  turbopack: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    // The files of the live page, which this app does not serve: unbuilt, they bring their bundler.
    resolveAlias: { '@poolguard/page': './lib/no-page.ts' },
  },
}

export default config
