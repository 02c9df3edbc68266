import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const config: NextConfig = {
  // For containers: a server with the modules that it uses, and nothing else. poolguard needs no setting for it.
  output: 'standalone',
  // Only needed in this repository, whose unbuilt packages are TypeScript. An app that installs the packages needs none of the following settings.
  transpilePackages: ['@poolguard/core', '@poolguard/drizzle', '@poolguard/pg', '@poolguard/web'],
  turbopack: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    // The files of the live page, which this app does not serve: unbuilt, they bring their bundler.
    resolveAlias: { '@poolguard/page': './lib/no-page.ts' },
  },
}

export default config
