import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const config: NextConfig = {
  // Only needed in this repository, whose unbuilt packages are TypeScript. An app that installs the packages needs neither setting.
  transpilePackages: ['@poolguard/core', '@poolguard/drizzle', '@poolguard/pg'],
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
}

export default config
