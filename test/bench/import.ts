import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { install } from '../packaging/load.ts'
import { packAll } from '../packaging/pack.ts'
import { type Benchmark, compare, type Figures } from './benchmark.ts'

const run = promisify(execFile)

/** What an app imports without poolguard, by what it imports with it. Every NestJS app loads `@nestjs/core`, every Prisma client its runtime. */
const PEERS: Readonly<Record<string, readonly string[]>> = {
  '@poolguard/core': ['pg'],
  '@poolguard/pg': ['pg'],
  '@poolguard/postgres-js': ['postgres'],
  '@poolguard/prisma': ['@prisma/adapter-pg', '@prisma/client/runtime/client'],
  '@poolguard/drizzle/node-postgres': ['drizzle-orm/node-postgres'],
  '@poolguard/drizzle/postgres-js': ['drizzle-orm/postgres-js'],
  '@poolguard/typeorm': ['typeorm'],
  '@poolguard/nestjs': ['@nestjs/common', '@nestjs/core'],
  '@poolguard/fastify': ['fastify'],
  '@poolguard/sqlite': ['better-sqlite3'],
}

/** The built and packed packages, installed as in an app. */
export const benchmark: Benchmark = {
  keys: {
    import_millis_vs_peer: 'time of importing the package over that of its peer; lower is better',
    import_millis: 'milliseconds; lower is better',
    unpacked_kilobytes: 'size on disk of the published files; lower is better',
  },
  async run(tell) {
    tell('build')
    await build()
    const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-import-'))
    try {
      const manifests = await install(await packAll(folder), folder)
      const sizes: Record<string, number> = {}
      for (const { name } of manifests) sizes[name] = await kilobytesOf(path.join(folder, 'app/node_modules', name))
      const ratios: Record<string, Figures[string]> = {}
      const times: Record<string, Figures[string]> = {}
      for (const [name, peers] of Object.entries(PEERS)) {
        tell(`${name} against ${peers.join(' and ')}`)
        const { ratio, ours } = await compare({
          ours: () => millisToImport([name], folder),
          theirs: () => millisToImport(peers, folder),
        })
        ratios[name] = ratio
        times[name] = ours
      }
      return { import_millis_vs_peer: ratios, import_millis: times, unpacked_kilobytes: sizes }
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

async function build(): Promise<void> {
  const root = path.resolve(import.meta.dirname, '../..')
  const turbo = createRequire(path.join(root, 'package.json')).resolve('turbo/bin/turbo')
  await run(process.execPath, [turbo, 'run', 'build', '--output-logs=errors-only'], { cwd: root })
}

/** In a process of its own, without the start of Node. */
async function millisToImport(specifiers: readonly string[], folder: string): Promise<number> {
  const imports = specifiers.map((specifier) => `await import('${specifier}')`).join('; ')
  const program = `const begin = performance.now(); ${imports}; console.log(performance.now() - begin); process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
    cwd: path.join(folder, 'app'),
  })
  return Number(stdout)
}

async function kilobytesOf(home: string): Promise<number> {
  const files = await readdir(home, { recursive: true, withFileTypes: true })
  const sizes = await Promise.all(
    files.filter((file) => file.isFile()).map(async (file) => (await stat(path.join(file.parentPath, file.name))).size),
  )
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1024)
}
