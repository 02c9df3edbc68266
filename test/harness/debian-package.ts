import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder } from './cache.ts'

export interface DebianPackage {
  readonly suite: string
  readonly name: string
  /** Where the package has them, as `/usr/sbin/pgbouncer`. */
  readonly programs: readonly string[]
}

/** The folder with the programs of a Debian package, unpacked once into the cache. Throws the reason if it is not available. */
export async function unpackDebianPackage({ suite, name, programs }: DebianPackage): Promise<string> {
  if (process.platform !== 'linux') throw new Error('not Debian')
  const script = join(import.meta.dirname, 'unpack-deb.sh')
  const hash = createHash('sha256').update(readFileSync(script)).digest('hex').slice(0, 10)
  const folder = join(cacheFolder(), `${name}-${suite}-${process.arch}-${hash}`)
  const bin = join(folder, 'bin')
  if (programs.some((program) => !existsSync(join(bin, basename(program))))) {
    await runProgram('bash', [script, suite, name, folder, ...programs], 180_000).catch((error) => {
      throw new Error(`Debian's package could not be had: ${lastLine(error)}`, { cause: error })
    })
  }
  return bin
}

/** What a program prints; throws where it fails. */
export async function runProgram(program: string, args: readonly string[], timeout: number): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { timeout, encoding: 'utf8' })
  return stdout
}

function lastLine(error: Error & { stderr?: string }): string {
  return (error.stderr || error.message).trim().split('\n').at(-1) ?? ''
}
