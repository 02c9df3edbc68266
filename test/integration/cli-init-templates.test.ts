import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { portableCommand } from '../portable-command.ts'
import { adopt, type Files, runGuarded, typecheck } from './init-project.ts'
import { FASTIFY_GENERATOR, NEST_PRISMA, T3_DRIZZLE } from './init-templates.ts'

/** The templates that the generators of npm ship today, in the place of our copies. Loads three packages from the registry. */
describe.runIf(isFullMatrix)('poolguard init on the templates of npm packages', () => {
  const cache = mkdtempSync(join(tmpdir(), 'poolguard-templates-'))
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 20 })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(cache, { recursive: true, force: true })
  })

  /** Reads files of a package as it is published. */
  function templateOf(name: string, files: Readonly<Record<string, string>>): Files {
    const { file: npm, args, shell } = portableCommand('npm', ['pack', '--silent', name])
    const [packed = ''] = execFileSync(npm, args, { cwd: cache, encoding: 'utf8', shell }).trim().split('\n')
    execFileSync('tar', ['xf', packed], { cwd: cache })
    const texts = Object.entries(files).map(([file, path]) => [
      file,
      readFileSync(join(cache, 'package', path), 'utf8'),
    ])
    rmSync(join(cache, 'package'), { recursive: true })
    return Object.fromEntries(texts)
  }

  /** Without the parts that the schematic leaves out by default. */
  function render(template: Files): Files {
    const texts = Object.entries(template).map(([file, text]) => [file, text.replaceAll(/<% if .*?<% \} %>/gs, '')])
    return Object.fromEntries(texts)
  }

  test('create-t3-app with Drizzle and PostgreSQL', { timeout: 240_000 }, async () => {
    const template = templateOf('create-t3-app', {
      'src/server/db/index.ts': 'template/extras/src/server/db/index-drizzle/with-postgres.ts',
    })
    const folder = await adopt({ ...T3_DRIZZLE, ...template }, ['@poolguard/drizzle', '@poolguard/postgres-js'])

    expect(await typecheck(folder)).toBe('')
    expect((await runGuarded(folder, 'src/program.ts', server.url)).split('\n')).toEqual(['42', 'guarded'])
  })

  test("fastify-cli's app", { timeout: 240_000 }, async () => {
    const template = templateOf('fastify-cli', { 'app.js': 'templates/app/app.js' })
    const folder = await adopt({ ...FASTIFY_GENERATOR, ...template }, ['@poolguard/fastify', '@poolguard/pg'])

    expect((await runGuarded(folder, 'test/program.js', server.url)).split('\n')).toEqual(['42', 'guarded'])
  })

  test("Nest's application, with Prisma's service", { timeout: 240_000 }, async () => {
    const place = 'dist/lib/application/files/ts/src'
    const template = templateOf('@nestjs/schematics', {
      'src/app.module.ts': `${place}/app.module.ts`,
      'src/app.controller.ts': `${place}/app.controller.ts`,
      'src/main.ts': `${place}/main.ts`,
    })
    const service = (NEST_PRISMA['src/app.service.ts'] ?? '').replace(
      '  async answer()',
      "  getHello() {\n    return 'Hello World!';\n  }\n\n  async answer()",
    )
    const folder = await adopt({ ...NEST_PRISMA, ...render(template), 'src/app.service.ts': service }, [
      '@poolguard/nestjs',
      '@poolguard/prisma',
    ])

    expect(await typecheck(folder)).toBe('')
    expect(readFileSync(join(folder, 'src/app.module.ts'), 'utf8')).toContain('imports: [PoolguardModule.forRoot()],')
  })
})
