import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const require = createRequire(import.meta.url)

/** The command that runs a program with npm's packages in `node_modules`. */
export const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  Bun: [join(homeOf('bun'), 'bin/bun.exe')],
  Deno: [process.execPath, join(homeOf('deno'), 'bin.cjs'), 'run', '--allow-all', '--node-modules-dir=manual'],
}

function homeOf(name: string): string {
  return dirname(require.resolve(`${name}/package.json`))
}
