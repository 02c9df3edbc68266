import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeCommand, packageCommand, runCommand } from './package-manager.ts'

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-manager-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'apps/web'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const MANIFEST = { 'package.json': '{}' }

test.each<[what: string, files: Record<string, string>, add: string, remove: string]>([
  ['npm, without a lockfile', MANIFEST, 'npm i @poolguard/pg', 'npm uninstall @poolguard/pg'],
  ['npm', { ...MANIFEST, 'package-lock.json': '{}' }, 'npm i @poolguard/pg', 'npm uninstall @poolguard/pg'],
  ['pnpm', { ...MANIFEST, 'pnpm-lock.yaml': '' }, 'pnpm add @poolguard/pg', 'pnpm remove @poolguard/pg'],
  ['yarn', { ...MANIFEST, 'yarn.lock': '' }, 'yarn add @poolguard/pg', 'yarn remove @poolguard/pg'],
  ['bun', { ...MANIFEST, 'bun.lock': '' }, 'bun add @poolguard/pg', 'bun remove @poolguard/pg'],
  [
    'packageManager',
    { 'package.json': '{"packageManager":"pnpm@10.0.0"}' },
    'pnpm add @poolguard/pg',
    'pnpm remove @poolguard/pg',
  ],
])('%s installs and removes', async (_what, files, add, remove) => {
  const folder = folderWith(files)
  const packages = ['@poolguard/pg']

  expect(describeCommand(await packageCommand(folder, { folder: '', packages }, 'add'))).toBe(add)
  expect(describeCommand(await packageCommand(folder, { folder: '', packages }, 'uninstall'))).toBe(remove)
  // An app of a monorepo has the lockfile of the root.
  expect(describeCommand(await packageCommand(folder, { folder: 'apps/web', packages }, 'add'))).toBe(
    `cd apps/web && ${add}`,
  )
})

test('runs in the directory of the app, and says whether it succeeded', async () => {
  const folder = folderWith(MANIFEST)
  const program = (code: string) => ({ folder: 'apps/web', command: process.execPath, args: ['-e', code] })

  const isThere = "process.exit(process.cwd().endsWith('web') ? 0 : 1)"
  expect(await runCommand(folder, program(isThere), true)).toBe(true)
  expect(await runCommand(folder, program('process.exit(3)'), true)).toBe(false)
  expect(await runCommand(folder, { folder: '', command: 'poolguard-no-such-program', args: [] }, true)).toBe(false)
})
