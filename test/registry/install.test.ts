import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { isFullMatrix } from '../matrix.ts'
import { PACKAGE_MANAGERS, type PackageManager, Project } from './package-managers.ts'
import { dependenciesOf, EXPECTED, PROGRAMS, sourceOf } from './programs.ts'
import { findUpstream, type LocalRegistry, startRegistry } from './registry.ts'

const upstream = await findUpstream()
if (upstream instanceof Error) console.warn(`skipped: ${upstream.message}`)

/** `pnpm test` tries one package with its driver, with one package manager; the matrix all of them. */
const managers = PACKAGE_MANAGERS.filter(({ name }) => isFullMatrix || name === 'npm')
const programs = Object.entries(PROGRAMS).filter(([name]) => isFullMatrix || name === '@poolguard/pg')

describe.skipIf(upstream instanceof Error)('installed from a registry into an empty folder', () => {
  let registry: LocalRegistry
  let server: PostgresServer
  beforeAll(async () => {
    ;[registry, server] = await Promise.all([startRegistry(String(upstream)), startPostgres({ maxConnections: 20 })])
    // Without it doctor has a warning to report, and ends with an error.
    await server.query("alter role app set idle_in_transaction_session_timeout = '60s'")
  })
  afterAll(() => Promise.all([registry?.[Symbol.asyncDispose](), server?.stop()]))

  describe.each(managers)('by $name', (manager) => {
    test.each(programs)('%s runs as an ES module and as CommonJS', { timeout: 900_000 }, async (_name, program) => {
      const project = await install(manager, dependenciesOf(program))
      for (const format of ['esm', 'cjs'] as const) {
        const file = format === 'esm' ? 'main.mjs' : 'main.cjs'
        await writeFile(join(project.folder, file), sourceOf(program, format))
        const output = await project.node([file], { DATABASE_URL: server.url })
        expect(JSON.parse(output), file).toEqual(EXPECTED)
      }
    })

    test('the command line says its version and examines a project', { timeout: 900_000 }, async () => {
      const project = await install(manager, ['poolguard'])
      const version = await project.exec(['poolguard', '--version'])
      expect(version.trim()).toMatch(/^\d+\.\d+\.\d+$/)
      const report = await project.exec(['poolguard', 'doctor', '--json', server.url])
      expect(JSON.parse(report)).toMatchObject({ findings: [] })
    })
  })

  async function install(manager: PackageManager, dependencies: readonly string[]): Promise<Project> {
    const root = await mkdtemp(join(tmpdir(), 'poolguard-install-'))
    onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))
    const [folder, home] = [join(root, 'app'), join(root, 'home')]
    await Promise.all([mkdir(folder), mkdir(home)])
    const project = new Project(manager, { folder, home, registry: registry.url })
    await project.configure()
    const manifest = {
      name: 'app',
      private: true,
      dependencies: Object.fromEntries(dependencies.map((each) => [each, '*'])),
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
    await project.install()
    return project
  }
})
