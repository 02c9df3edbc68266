import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type PostgresServer, startPostgres } from '@poolguard/test/harness'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { StartedServer } from '../examples/started-server.ts'
import { isFullMatrix } from '../matrix.ts'
import { npm, Project } from './package-managers.ts'
import { findUpstream, type LocalRegistry, startRegistry } from './registry.ts'
import { ANSWER, STARTERS, type Starter, WATCH } from './starters.ts'

// Each starter installs hundreds of packages, of the day's versions.
const upstream = isFullMatrix ? await findUpstream() : undefined
if (upstream instanceof Error) console.warn(`skipped: ${upstream.message}`)

describe.runIf(typeof upstream === 'string')('an app of an official starter', () => {
  let registry: LocalRegistry
  let server: PostgresServer
  beforeAll(async () => {
    ;[registry, server] = await Promise.all([startRegistry(String(upstream)), startPostgres({ maxConnections: 20 })])
  })
  afterAll(() => Promise.all([registry?.[Symbol.asyncDispose](), server?.stop()]))

  test.each(Object.entries(STARTERS))(
    '%s: init adopts poolguard, the app builds, and answers on a guarded pool',
    { timeout: 900_000 },
    async (_name, starter) => {
      const app = await create(starter)
      const report = JSON.parse(await app.exec(['poolguard', 'init', '--yes', '--json']))
      expect(report).toMatchObject({ applied: true, instructions: [], unread: [] })
      const env = { DATABASE_URL: server.url }
      await app.run(starter.build, env)
      const watched = app.environment({ ...env, NODE_OPTIONS: `--require=${join(app.folder, 'watch.cjs')}` })
      await using started = await StartedServer.start(starter.start, { cwd: app.folder, path: '/answer', env: watched })
      expect(await (await started.fetch('/answer')).json()).toEqual(ANSWER)
      expect(started.output).toContain('guarded')
    },
  )

  /** Makes the app as its starter does, and gives it a database as the documentation says. */
  async function create({ generator, create, files, edits = {}, dependencies = [] }: Starter): Promise<Project> {
    const root = await mkdtemp(join(tmpdir(), 'poolguard-starter-'))
    onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 5 }))
    const [folder, home] = [join(root, 'app'), join(root, 'home')]
    await mkdir(home)
    const places = { home, registry: registry.url }
    const parent = new Project(npm, { folder: root, ...places })
    await parent.manage(['exec', '--yes', '--package', generator, '--', ...create])
    const app = new Project(npm, { folder, ...places })
    await app.configure()
    for (const [name, text] of Object.entries({ ...files, 'watch.cjs': WATCH })) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), text)
    }
    for (const [name, edit] of Object.entries(edits)) {
      const text = await readFile(join(folder, name), 'utf8')
      const edited = edit(text)
      expect(edited, name).not.toBe(text)
      await writeFile(join(folder, name), edited)
    }
    await app.manage(['install', '--no-audit', '--no-fund', 'poolguard', ...dependencies])
    return app
  }
})
