import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { portableCommand } from './portable-command.ts'

/**
 * Runs the unit tests of the packages on another version of Node, from the npm package `node`:
 *
 *   pnpm test:node 22
 *   pnpm test:node 26 --project @poolguard/core
 */
const [version, ...given] = process.argv.slice(2)
if (version === undefined || !/^\d+(\.\d+\.\d+)?$/.test(version)) {
  console.error('Pass a version of Node: pnpm test:node 22')
  process.exit(2)
}
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const projects = given.length > 0 ? given : ['--project', '@poolguard/*', '--project', 'poolguard']
const words = ['-y', `--package=node@${version}`, '--', 'node', vitest, 'run', ...projects]
const { file, args, shell } = portableCommand('npx', words)
const { status } = spawnSync(file, args, { cwd: join(import.meta.dirname, '..'), stdio: 'inherit', shell })
process.exitCode = status ?? 1
