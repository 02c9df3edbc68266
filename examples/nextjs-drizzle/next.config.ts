import { fileURLToPath } from 'node:url'
import type { NextConfig } from 'next'

const config: NextConfig = {
  // Of this repository, whose packages are TypeScript as long as they are not built. An app that installs them needs neither.
  transpilePackages: ['@poolguard/core', '@poolguard/drizzle', '@poolguard/pg'],
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
}

export default config
