import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { grafanaDashboard } from '@poolguard/core/dashboards'
import pg from 'pg'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  checkPrometheusConfig,
  composeConfig,
  describeWhere,
  describeWithCompose,
  describeWithPgBouncer,
  describeWithPgBouncerProgram,
  describeWithPrometheus,
  type PgBouncerPlace,
  type PostgresServer,
  queryOnce,
  startPgBouncer,
  startPgBouncerFiles,
  startPostgres,
} from '../harness/index.ts'
import { lintCompose } from './lint-compose.ts'
import { cleanEnvironment, POOLGUARD, type Run, runPoolguard } from './run-poolguard.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolguard-generate-'))
  // The servers run as another user.
  await chmod(folder, 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

const BY_HAND = ['--max-connections', '30', '--instances', '3']

function generate(...args: string[]): Promise<Run> {
  return runPoolguard(['generate', ...args], { folder })
}

interface Printed {
  /** Content by path. */
  readonly files: Record<string, string>
  readonly next: readonly string[]
}

async function print(...args: string[]): Promise<Printed> {
  const { stdout, stderr } = await generate(...args, '--print', '--json')
  expect(stderr).toBe('')
  const { files, next } = JSON.parse(stdout) as { files: { path: string; content: string }[]; next: string[] }
  return { files: Object.fromEntries(files.map(({ path, content }) => [path, content])), next }
}

async function filesOf(...args: string[]): Promise<Record<string, string>> {
  return (await print(...args)).files
}

function read(path: string): Promise<string> {
  return readFile(join(folder, path), 'utf8')
}

describe('poolguard generate writes', () => {
  test('all files, and prints the next steps', async () => {
    const { code, stdout, stderr } = await generate('compose', ...BY_HAND, '--out', 'deploy', '--monitoring')

    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('wrote  deploy/compose.yaml')
    expect(stdout).toContain('Next, in deploy:')
    expect(stdout).toContain('docker compose up -d --wait')
    expect((await readdir(join(folder, 'deploy'))).sort()).toEqual([
      '.env.example',
      'compose.yaml',
      'grafana',
      'pgbouncer',
      'postgres',
      'prometheus',
    ])
  })

  test('nothing over a dangling link', async () => {
    await symlink(join(folder, 'not yet there'), join(folder, '.env.example'))
    const { code, stderr } = await generate('env', ...BY_HAND)

    expect(code).toBe(2)
    expect(stderr).toContain('.env.example already exists. Nothing was written')
  })

  test.each([
    ['postgresql://app@[::1]:5433/orders', 'psql "postgresql://postgres@[::1]:5433/orders"'],
    [
      'postgresql://app@/orders?host=/var/run/postgresql',
      'psql "postgresql://postgres@%2Fvar%2Frun%2Fpostgresql:5432/orders"',
    ],
  ])('for %s, a step that psql understands', async (url, step) => {
    const { next } = await print('pgbouncer', url, ...BY_HAND)

    expect(next[0]).toContain(step)
  })

  test('nothing if one of the files exists', async () => {
    await mkdir(join(folder, 'pgbouncer'))
    await writeFile(join(folder, 'pgbouncer/auth.sql'), 'mine')
    const refused = await generate('pgbouncer', ...BY_HAND)

    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('pgbouncer/auth.sql already exists. Nothing was written')
    expect(await readdir(join(folder, 'pgbouncer'))).toEqual(['auth.sql'])

    const forced = await generate('pgbouncer', ...BY_HAND, '--force')
    expect(forced.code).toBe(0)
    expect(await read('pgbouncer/auth.sql')).toContain('get_auth')
    expect((await readdir(join(folder, 'pgbouncer'))).sort()).toEqual([
      'auth.sql',
      'pgbouncer.ini',
      'userlist.txt.example',
    ])
  })

  test('nothing with --print, or if the plan does not fit', async () => {
    const printed = await generate('env', ...BY_HAND, '--print')
    expect(printed.stdout).toMatch(/^# \.env\.example\n/)

    const unfit = await generate('compose', '--max-connections', '8', '--instances', '3', '--headroom', '5')
    expect(unfit.code).toBe(1)
    expect(unfit.stdout).toContain('The plan does not fit. ')
    expect(await readdir(folder)).toEqual([])
  })

  test('no password from the URL', async () => {
    const url = 'postgresql://shop:s3cret@127.0.0.1:1/shop'
    for (const what of ['compose', 'pgbouncer', 'postgres', 'env']) {
      const run = await generate(what, url, ...BY_HAND, '--print', '--json')
      expect(run.code).toBe(0)
      expect(`${run.stdout}${run.stderr}`).not.toContain('s3cret')
    }
  })

  test.each([
    ['no number of instances', ['compose', '--max-connections', '20'], '--instances'],
    ['a name that needs quotes', ['compose', 'postgres://app@db/my%20shop', ...BY_HAND], 'The database "my shop"'],
    ['an invalid amount of memory', ['postgres', ...BY_HAND, '--memory', 'lots'], '8GB'],
    ['an unsupported version', ['postgres', ...BY_HAND, '--postgres-version', '9'], '15, 16, 17, 18'],
    [
      'a folder that is a file',
      ['grafana', '--out', import.meta.filename],
      `${import.meta.filename} cannot be written`,
    ],
  ])('given %s, exits with 2 and an error on standard error', async (_, args, says) => {
    const { code, stdout, stderr } = await generate(...args)

    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(says)
  })

  test('rejects connections that do not fit into the memory, and suggests a number that fits', async () => {
    const { code, stdout } = await generate(
      'postgres',
      '--max-connections',
      '500',
      '--instances',
      '3',
      '--memory',
      '1GB',
    )

    expect(code).toBe(1)
    expect(stdout).toContain('Lower max_connections to 384')
  })
})

describe('poolguard generate compose', () => {
  test.each([[['--monitoring', '--memory', '2GB']], [['--max-surge', '1', '--postgres-version', '15']]])(
    'with %j, is valid for the compose linter',
    async (args) => {
      expect((await generate('compose', ...BY_HAND, ...args)).code).toBe(0)

      expect(lintCompose(join(folder, 'compose.yaml'))).toEqual([])
    },
  )

  test('doctor finds no problems in the generated files', async () => {
    await generate('compose', ...BY_HAND, '--max-surge', '1')
    await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { pg: '^8.0.0' } }))
    const { code, stdout } = await runPoolguard(['doctor', '--offline', '--json'], { folder })

    expect(JSON.parse(stdout).findings).toEqual([])
    expect(code).toBe(0)
  })
})

const describeCompose = await describeWithCompose()
describeCompose('docker compose', () => {
  test('accepts the file with all variables set, and names a missing one', async () => {
    await generate('compose', ...BY_HAND, '--monitoring')
    const filled = (await read('.env.example')).replaceAll(/^(\w+)=$/gm, '$1=abc123')
    await writeFile(join(folder, '.env'), filled)

    expect(await composeConfig(folder)).toContain('postgresql://app:abc123@pgbouncer:6432/app')
    await writeFile(join(folder, '.env'), filled.replace('APP_PASSWORD=abc123', 'APP_PASSWORD='))
    await expect(composeConfig(folder)).rejects.toThrow('set APP_PASSWORD in .env')
  })
})

const psql = spawnSync('psql', ['--version'])
const describePsql = await describeWhere(
  psql.status === 0 ? undefined : new Error('psql is not on PATH: the generated SQL is not run'),
)

/** Environment of a superuser, without a password in the arguments. */
function asAdmin(server: PostgresServer, database: string): Readonly<Record<string, string>> {
  const { password } = new URL(server.adminUrl)
  return {
    ...cleanEnvironment(),
    PGHOST: server.host,
    PGPORT: String(server.port),
    PGPASSWORD: password,
    POSTGRES_USER: 'postgres',
    POSTGRES_DB: database,
  }
}

/** Runs the first printed step, with the password that it needs. */
async function runAuthStep(server: PostgresServer, next: readonly string[], password: string): Promise<void> {
  const env = { ...asAdmin(server, 'app'), PGBOUNCER_PASSWORD: password }
  await promisify(execFile)('sh', ['-c', String(next[0])], { cwd: folder, env })
}

/** Runs the printed verify step with this repository's command line. */
async function runVerifyStep(next: readonly string[], address: string): Promise<string> {
  const step = next.find((line) => line.includes('poolguard verify')) ?? ''
  const command = step.replace('npx poolguard', `${process.execPath} ${POOLGUARD}`).replace('127.0.0.1:6432', address)
  return (await promisify(execFile)('sh', ['-c', command], { cwd: folder, env: cleanEnvironment() })).stdout
}

/** Runs the init script of the PostgreSQL image, with a temporary directory instead of the container's. */
async function runInitScript(server: PostgresServer, files: Record<string, string>, secrets = {}): Promise<void> {
  const values = { app_password: 'shop-secret', pgbouncer_password: 'look"up', ...secrets }
  const here = (text: string) => text.replaceAll('/run/secrets', folder).replaceAll('/etc/poolguard', folder)
  for (const [name, value] of Object.entries(values)) await writeFile(join(folder, name), value)
  await writeFile(join(folder, 'auth.sql'), files['postgres/auth.sql'] ?? '')
  await writeFile(join(folder, '10-roles.sh'), here(files['postgres/init/10-roles.sh'] ?? ''))
  await promisify(execFile)('sh', [join(folder, '10-roles.sh')], { env: asAdmin(server, 'my-shop') })
}

/** The files of the PgBouncer container, in one directory. */
function inOneFolder(
  files: Record<string, string>,
  { folder: own, port, program }: PgBouncerPlace,
  server: PostgresServer,
): Record<string, string> {
  const here = (text = '') =>
    text
      .replaceAll(/\/run\/secrets|\/etc\/poolguard|\/tmp/g, own)
      .replace('exec pgbouncer', `exec ${program}`)
      .replace('listen_port = 6432', `listen_port = ${port}`)
      .replace('host=postgres port=5432', `host=${server.host} port=${server.port}`)
  return {
    'start.sh': here(files['pgbouncer/start.sh']),
    'pgbouncer.ini': here(files['pgbouncer/pgbouncer.ini']),
    pgbouncer_password: 'look"up',
    pgbouncer_stats_password: 'sta"ts',
  }
}

for (const [version, postgresVersion] of [
  ['1.24', 15],
  ['1.26', 18],
] as const) {
  const describePgBouncer = await describeWithPgBouncerProgram(version)

  describePsql(`the stack of poolguard generate compose, PostgreSQL ${postgresVersion}, PgBouncer ${version}`, () => {
    describePgBouncer('as processes', () => {
      test('starts, and passes poolguard verify', async () => {
        const { files, next } = await print(
          'compose',
          'postgresql://my-shop@db/my-shop',
          ...['--max-connections', '30', '--instances', '3', '--memory', '512MB'],
          ...['--postgres-version', String(postgresVersion)],
        )
        const flags = [...(files['compose.yaml'] ?? '').matchAll(/^ +- (--\w+=\S+)$/gm)].map(([, flag]) => String(flag))
        expect(flags).toEqual(expect.arrayContaining(['--max_connections=30', '--shared_buffers=128MB']))
        await using server = await startPostgres({ version: postgresVersion, arguments: flags })
        await server.query('create database "my-shop"')
        await runInitScript(server, files)
        const stats = { user: 'pgbouncer_stats', password: 'sta"ts' }
        await using pgBouncer = await startPgBouncerFiles({
          version,
          console: { ...stats, password: encodeURIComponent(stats.password) },
          files: (place) => inOneFolder(files, place, server),
        })
        const address = `${pgBouncer.host}:${pgBouncer.port}`
        const pooler = `postgresql://${stats.user}:${encodeURIComponent(stats.password)}@${address}/pgbouncer`

        await writeFile(
          join(folder, '.env'),
          (files['.env.example'] ?? '').replace('APP_PASSWORD=', 'APP_PASSWORD=shop-secret'),
        )
        expect(await runVerifyStep(next, address)).toContain('All checks passed.')
        const doctor = ['doctor', `postgresql://my-shop@${address}/my-shop`, '--pooler-url', pooler, '--json']
        const diagnosed = await runPoolguard(doctor, { folder, env: { PGPASSWORD: 'shop-secret' } })
        expect(JSON.parse(diagnosed.stdout).findings).toEqual([])
        await expect(queryOnce(`postgresql://postgres:x@${address}/my-shop`, 'select 1')).rejects.toThrow()
      })

      test('names an empty secret and does not start', async () => {
        const files = await filesOf('compose', ...BY_HAND)
        await using server = await startPostgres({ version: postgresVersion })

        await expect(runInitScript(server, files, { app_password: '' })).rejects.toThrow(
          'The secret app_password is empty: set it in .env.',
        )
      })
    })
  })

  describePsql(`poolguard generate pgbouncer, PgBouncer ${version}`, () => {
    describePgBouncer('on the ini', () => {
      test('starts in front of the server, with the sizes of the plan', async () => {
        await using server = await startPostgres({ version: postgresVersion, maxConnections: 40 })
        const run = await generate('pgbouncer', server.url, '--instances', '4', '--json')
        const { next } = JSON.parse(run.stdout) as { next: string[] }
        const [ini, userlist] = [await read('pgbouncer/pgbouncer.ini'), await read('pgbouncer/userlist.txt.example')]
        await runAuthStep(server, next, 'look up')
        // The script can run again, with another password.
        await runAuthStep(server, next, 'look up 2')
        await using pgBouncer = await startPgBouncerFiles({
          version,
          console: { user: 'pgbouncer_stats', password: 'stats' },
          files: ({ port }) => ({
            'pgbouncer.ini': ini
              .replace('listen_port = 6432', `listen_port = ${port}`)
              .replace('/etc/pgbouncer/userlist.txt', 'userlist.txt'),
            'userlist.txt': userlist.replace('CHANGE_ME', 'look up 2').replace('CHANGE_ME', 'stats'),
          }),
        })
        const { password } = new URL(server.url)
        const address = `${pgBouncer.host}:${pgBouncer.port}`
        const url = `postgresql://app:${password}@${address}/app`

        const pool = new pg.Pool({ connectionString: url, max: 4 }).on('error', () => {})
        const named = { name: 'sum', text: 'select $1::int + 1 as sum' }
        const sums = await Promise.all([1, 2, 3, 4].map((n) => pool.query({ ...named, values: [n] })))
        expect(sums.map(({ rows }) => rows[0].sum)).toEqual([2, 3, 4, 5])
        await pool.end()
        const sql = postgres(url, { max: 1 })
        expect(await sql`select current_user as role`).toEqual([{ role: 'app' }])
        await sql.end()
        const shown = await queryOnce<{ key: string; value: string }>(
          `postgresql://pgbouncer_stats:stats@${address}/pgbouncer`,
          'SHOW CONFIG',
        )
        const config = new Map(shown.map(({ key, value }) => [key, value]))
        const names = ['pool_mode', 'default_pool_size', 'reserve_pool_size', 'max_db_connections', 'max_client_conn']
        expect(names.map((name) => config.get(name))).toEqual(['transaction', '25', '2', '28', '66'])
      })
    })
  })
}

describe('poolguard generate postgres', () => {
  test.each([[15], [18]] as const)('PostgreSQL %i accepts all settings', async (version) => {
    const fitting = ['--memory', '512MB', '--statement-timeout', '45s', '--postgres-version', String(version)]
    expect((await generate('postgres', ...BY_HAND, ...fitting)).code).toBe(0)
    const file = join(folder, 'postgres/poolguard.conf')
    await using server = await startPostgres({ version, settings: { include: file } })
    const broken = await server.query('select name, error from pg_file_settings where error is not null')
    const set = await server.query<{ name: string; shown: string }>(
      'select name, current_setting(name) as shown from pg_settings where sourcefile = $1',
      [file],
    )

    expect(broken).toEqual([])
    expect(Object.fromEntries(set.map(({ name, shown }) => [name, shown]))).toEqual({
      max_connections: '30',
      superuser_reserved_connections: '3',
      ...(version === 18 && { reserved_connections: '3' }),
      idle_in_transaction_session_timeout: '1min',
      client_connection_check_interval: '10s',
      tcp_keepalives_idle: '60',
      tcp_keepalives_interval: '10',
      tcp_keepalives_count: '6',
      statement_timeout: '45s',
      shared_buffers: '128MB',
      effective_cache_size: '384MB',
      maintenance_work_mem: '32MB',
      work_mem: '3MB',
    })
  })

  test("uses the server's version", async () => {
    await using server = await startPostgres({ version: 15, maxConnections: 40 })
    const [content = ''] = Object.values(await filesOf('postgres', server.url, '--instances', '3'))

    expect(content).toContain('for PostgreSQL 15.')
    expect(content).toContain('max_connections = 40')
    expect(content).not.toContain('\nreserved_connections')
  })
})

describe('poolguard generate env', () => {
  test('with the password, passes poolguard verify', async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    const run = await generate('env', server.url, '--instances', '4', '--no-pooler')
    expect(run.stdout).toContain('max 8 for each pool')
    const example = await read('.env.example')
    await writeFile(join(folder, '.env'), example.replace('CHANGE_ME', new URL(server.url).password))
    const verified = await runPoolguard(['verify', '--expect', 'direct'], { folder })

    expect(verified.stdout).toContain('All checks passed.')
    expect(example).toContain('DB_POOL_MAX=8')
  })

  test("writes the variables of the project's ORM", async () => {
    const dependencies = { '@prisma/client': '^6.0.0', prisma: '^6.0.0' }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies }))
    const { '.env.example': content } = await filesOf('env', 'postgresql://app@db/orders', ...BY_HAND)

    expect(content).toContain('@pgbouncer:6432/orders?connection_limit=14&pool_timeout=10\n')
    expect(content).toContain('DIRECT_URL=postgresql://app:CHANGE_ME@db:5432/orders\n')
    expect(content).toContain('directUrl = env("DIRECT_URL")')
  })
})

test("poolguard generate env bypasses a provider's pooler, and keeps the URL's TLS parameters", async () => {
  const url =
    'postgresql://app:s3cret@ep-cool-leaf-123-pooler.eu.aws.neon.tech/orders?sslmode=require&sslpassword=s3cret'
  const { '.env.example': content = '' } = await filesOf('env', url, ...BY_HAND)

  expect(content).toContain(
    'DATABASE_URL=postgresql://app:CHANGE_ME@ep-cool-leaf-123-pooler.eu.aws.neon.tech:5432/orders?sslmode=require\n',
  )
  expect(content).toContain(
    'DIRECT_URL=postgresql://app:CHANGE_ME@ep-cool-leaf-123.eu.aws.neon.tech:5432/orders?sslmode=require\n',
  )
  expect(content).toContain('DB_POOL_MAX=8\n')

  // Support for prepared statements was not tested.
  await writeFile(join(folder, 'package.json'), JSON.stringify({ dependencies: { '@prisma/client': '^6.0.0' } }))
  const { '.env.example': engine } = await filesOf('env', url, ...BY_HAND)
  expect(engine).toContain('pgbouncer=true')
})

const describeBehind = await describeWithPgBouncer('1.24')
describeBehind('poolguard generate env behind PgBouncer', () => {
  test('keeps the existing pooler for the app, and bypasses it for migrations', async () => {
    await using server = await startPostgres({ maxConnections: 40 })
    await using pgBouncer = await startPgBouncer({ version: '1.24', upstream: server })
    const env = { DATABASE_URL: pgBouncer.url, DIRECT_URL: server.url }
    const run = await runPoolguard(['generate', 'env', '--instances', '4', '--print'], { folder, env })

    expect(run.stdout).toContain(`DATABASE_URL=postgresql://app:CHANGE_ME@127.0.0.1:${pgBouncer.port}/app\n`)
    expect(run.stdout).toContain(`DIRECT_URL=postgresql://app:CHANGE_ME@127.0.0.1:${server.port}/app\n`)
  })
})

const describePrometheus = await describeWithPrometheus()
describePrometheus('poolguard generate prometheus', () => {
  test('passes promtool, alone and with compose', async () => {
    const inFolder = (files: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(files)
          .filter(([path]) => dirname(path) === 'prometheus')
          .map(([path, content]) => [path.replace('prometheus/', ''), content]),
      )

    const alone = await filesOf('prometheus', '--target', 'a:3000', '--target', 'b:3000')
    expect(alone['prometheus/prometheus.yml']).toContain('- b:3000')
    expect(await checkPrometheusConfig(inFolder(alone))).toContain('SUCCESS')
    const exporter = await filesOf('prometheus', '--pgbouncer-exporter', 'pgbouncer-exporter:9127')
    expect(exporter['prometheus/prometheus.yml']).toContain('- pgbouncer-exporter:9127')
    expect(await checkPrometheusConfig(inFolder(exporter))).toContain('SUCCESS')
    const beside = await filesOf('compose', ...BY_HAND, '--monitoring')
    expect(await checkPrometheusConfig(inFolder(beside))).toContain('SUCCESS')
  })
})

test('poolguard generate grafana has the dashboard and its provisioning', async () => {
  const files = await filesOf('grafana')

  expect(JSON.parse(files['grafana/dashboards/poolguard.json'] ?? '')).toEqual(
    JSON.parse(JSON.stringify(grafanaDashboard())),
  )
  expect(files['grafana/provisioning/dashboards/poolguard.yml']).toContain('/var/lib/grafana/dashboards')
})
