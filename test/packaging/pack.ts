import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { portableCommand } from '../portable-command.ts'

const run = promisify(execFile)
const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

/** Builds every package; what has not changed since it was built last is taken from the cache. */
export async function buildAll(): Promise<void> {
  await pnpm(
    ['turbo', 'run', 'build', '--filter', './packages/*', '--output-logs', 'errors-only'],
    path.dirname(PACKAGES),
  )
}

/** Packs every package, as it was built last, into a folder. Returns the paths of the tarballs. */
export async function packAll(folder: string): Promise<string[]> {
  const tarballs: string[] = []
  for (const name of await readdir(PACKAGES)) tarballs.push(await pack(path.join(PACKAGES, name), folder))
  return tarballs
}

async function pack(home: string, folder: string): Promise<string> {
  const before = new Set(await readdir(folder))
  await pnpm(['pack', '--pack-destination', folder], home)
  const [made] = (await readdir(folder)).filter((file) => !before.has(file))
  if (!made) throw new Error(`pnpm pack made no tarball of ${home}`)
  return path.join(folder, made)
}

async function pnpm(words: readonly string[], cwd: string): Promise<void> {
  const { file, args, shell } = portableCommand('pnpm', words)
  await run(file, args, { cwd, shell })
}
