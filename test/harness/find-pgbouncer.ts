import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runProgram, unpackDebianPackage } from './debian-package.ts'
import { dockerAnswers } from './docker.ts'
import type { PgBouncerVersion } from './pgbouncer-server.ts'

export interface PgBouncerBinary {
  readonly path: string
  /** Such as `1.24.1`. */
  readonly version: string
  /** Where it was found, for people. */
  readonly source: string
}

export interface PgBouncerImage {
  readonly image: string
  readonly version: string
  readonly source: string
}

export type FoundPgBouncer = PgBouncerBinary | PgBouncerImage

const defaultVersion: PgBouncerVersion = '1.24'
const debianSuites: Record<PgBouncerVersion, string> = { '1.18': 'bookworm', '1.24': 'trixie', '1.26': 'sid' }

export const pgBouncerImages: Record<PgBouncerVersion, string> = {
  '1.18': 'edoburu/pgbouncer:1.18.0-p0',
  '1.24': 'edoburu/pgbouncer:v1.24.1-p1',
  '1.26': 'edoburu/pgbouncer:v1.26.1-p0',
}

export class PgBouncerUnavailableError extends Error {
  override readonly name = 'PgBouncerUnavailableError'
  readonly code = 'PGBOUNCER_UNAVAILABLE'
}

const found = new Map<PgBouncerVersion | undefined, Promise<FoundPgBouncer>>()

/** The first of: the one named by PGBOUNCER, one on PATH, a container, the one unpacked from a Debian package. */
export function findPgBouncer(wanted?: PgBouncerVersion): Promise<FoundPgBouncer> {
  const known = found.get(wanted) ?? search(wanted)
  found.set(wanted, known)
  return known
}

async function search(wanted?: PgBouncerVersion): Promise<FoundPgBouncer> {
  const reasons: string[] = []
  for (const place of [fromEnvironment, fromPath, fromDocker, fromDebian]) {
    const candidate = await place(wanted)
    if (typeof candidate !== 'string') return candidate
    reasons.push(candidate)
  }
  const what = wanted ? `PgBouncer ${wanted}` : 'PgBouncer'
  throw new PgBouncerUnavailableError(
    `${what} is not available: set PGBOUNCER to its binary, install it on PATH (1.21 or later), or start Docker ` +
      `(${reasons.join('; ')})`,
  )
}

// Each place gives a candidate, or the reason why there is none.
type Place = (wanted?: PgBouncerVersion) => Promise<FoundPgBouncer | string>

const fromEnvironment: Place = async (wanted) => {
  const path = process.env.PGBOUNCER
  if (!path) return 'PGBOUNCER is not set'
  const version = await versionOf(path)
  if (!version) throw new PgBouncerUnavailableError(`PGBOUNCER is set to ${path}, which prints no version`)
  return fits(version, wanted) ? { path, version, source: 'PGBOUNCER' } : `PGBOUNCER is ${version}`
}

const fromPath: Place = async (wanted) => {
  const name = process.platform === 'win32' ? 'pgbouncer.exe' : 'pgbouncer'
  // Debian keeps it in a folder that only root has on PATH.
  const folders = process.env.PATH ? [...process.env.PATH.split(delimiter), '/usr/sbin'] : []
  const path = folders.map((folder) => join(folder, name)).find((file) => existsSync(file))
  const version = path && (await versionOf(path))
  if (!version) return 'none on PATH'
  const recentEnough = wanted ? fits(version, wanted) : minorOf(version) >= 21
  return recentEnough ? { path, version, source: 'PATH' } : `the one on PATH is ${version}`
}

const fromDocker: Place = async (wanted = defaultVersion) => {
  if (!(await dockerAnswers())) return 'no Docker engine answers'
  return { image: pgBouncerImages[wanted], version: wanted, source: 'Docker' }
}

const fromDebian: Place = async (wanted = defaultVersion) => {
  const suite = debianSuites[wanted]
  const unpacked = unpackDebianPackage({ suite, name: 'pgbouncer', programs: ['/usr/sbin/pgbouncer'] })
  const bin = await unpacked.catch((error: Error) => error)
  if (bin instanceof Error) return bin.message
  const path = join(bin, 'pgbouncer')
  const version = await versionOf(path)
  if (!version || !fits(version, wanted)) return `Debian's ${suite} has ${version}`
  return { path, version, source: `Debian's ${suite}` }
}

/** Same minor version; but of the newest, anything newer does as well. */
function fits(version: string, wanted: PgBouncerVersion | undefined): boolean {
  if (!wanted) return true
  return wanted === '1.26' ? minorOf(version) >= 26 : version.startsWith(`${wanted}.`)
}

function minorOf(version: string): number {
  return Number(version.split('.')[1])
}

/** Undefined when it does not run. */
async function versionOf(path: string): Promise<string | undefined> {
  const output = await runProgram(path, ['--version'], 10_000).catch(() => '')
  return /PgBouncer (\d+\.\d+\.\d+)/i.exec(output)?.[1]
}
