import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  composeConfig,
  describeWithCompose,
  describeWithPgBouncerProgram,
  queryOnce,
  startPgBouncerFiles,
  startPostgres,
} from '../harness/index.ts'
import { lintCompose } from './lint-compose.ts'
import { type Run, runPoolguard } from './run-poolguard.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'poolguard-override-'))
  // The servers run as another user.
  await chmod(folder, 0o755)
})
afterEach(() => rm(folder, { recursive: true }))

const PROJECT = `services:
  db:
    image: postgres:17-alpine
    environment:
      - POSTGRES_USER=l2c_user
      - POSTGRES_PASSWORD=\${DB_PASSWORD}
      - POSTGRES_DB=l2c
    healthcheck:
      test: [CMD, pg_isready]
  api:
    image: api
    environment:
      DATABASE_URL: postgresql://l2c_user:\${DB_PASSWORD}@db:5432/l2c?schema=public
      REDIS_URL: redis://redis:6379
    depends_on: [db]
  worker:
    image: worker
    environment:
      DB_HOST: db
      DB_USER: l2c_user
`

function generate(...args: string[]): Promise<Run> {
  return runPoolguard(['generate', 'compose', '--max-connections', '50', '--instances', '3', ...args], { folder })
}

function write(path: string, text: string): Promise<void> {
  return writeFile(join(folder, path), text)
}

function read(path: string): Promise<string> {
  return readFile(join(folder, path), 'utf8')
}

describe('poolguard generate compose in a project with a compose file', () => {
  test('writes an override, and takes over the names of the project', async () => {
    await write('docker-compose.yml', PROJECT)
    await write('.env.example', 'PORT=3000\nDB_PASSWORD=\n')
    const { code, stdout } = await generate()

    expect(code).toBe(0)
    expect(await read('docker-compose.yml')).toBe(PROJECT)
    expect((await readdir(folder)).sort()).toEqual([
      '.env.example',
      'compose.poolguard.yaml',
      'docker-compose.yml',
      'pgbouncer',
    ])
    const { services, secrets } = parse(await read('compose.poolguard.yaml'))
    expect(services.api.environment).toEqual({
      DATABASE_URL: `postgresql://l2c_user:\${DB_PASSWORD}@pgbouncer:6432/l2c?schema=public`,
      DIRECT_URL: `postgresql://l2c_user:\${DB_PASSWORD}@db:5432/l2c?schema=public`,
    })
    expect(services.worker.environment).toEqual({ DB_HOST: 'pgbouncer', DB_PORT: '6432' })
    expect(services.db.command).toContain('--max_connections=50')
    expect(services.pgbouncer.depends_on).toEqual({ db: { condition: 'service_healthy' } })
    expect(secrets.app_password).toEqual({ environment: 'DB_PASSWORD' })
    const ini = await read('pgbouncer/pgbouncer.ini')
    expect(ini).toContain('l2c = host=db port=5432 dbname=l2c')
    expect(stdout).toContain('docker compose -f docker-compose.yml -f compose.poolguard.yaml up -d --wait')
  })

  test('keeps the lines of .env.example', async () => {
    await write('docker-compose.yml', PROJECT)
    await write('.env.example', 'PORT=3000\nDB_PASSWORD=\n')
    await generate()

    const merged = await read('.env.example')
    expect(merged).toMatch(/^PORT=3000\nDB_PASSWORD=\n/)
    expect(merged).toContain('\nPGBOUNCER_STATS_PASSWORD=\n')
    expect(merged.match(/^DB_PASSWORD=/gm)).toHaveLength(1)
  })

  test('copies no password, and prints the change to make by hand', async () => {
    await write('compose.yml', PROJECT.replaceAll(`\${DB_PASSWORD}`, 'hunter22'))
    const { code, stdout, stderr } = await generate()

    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('Set APP_PASSWORD in .env to the POSTGRES_PASSWORD of the service db in compose.yml.')
    expect(stdout).toContain('service api: let DATABASE_URL lead to pgbouncer:6432 instead of db:5432')
    const written = await Promise.all(
      ['compose.poolguard.yaml', '.env.example', 'pgbouncer/pgbouncer.ini', 'pgbouncer/start.sh'].map(read),
    )
    expect(written.join('')).not.toContain('hunter22')
  })

  test('keeps the command of the database, and uses its secret', async () => {
    const secret = PROJECT.replace(
      `POSTGRES_PASSWORD=\${DB_PASSWORD}`,
      'POSTGRES_PASSWORD_FILE=/run/secrets/db_password',
    )
    await write(
      'compose.yaml',
      secret.replace('    healthcheck', '    command: -c shared_buffers=1GB\n    healthcheck'),
    )
    const { stdout } = await generate()

    const { services } = parse(await read('compose.poolguard.yaml'))
    expect(services.db).toBeUndefined()
    expect(services.pgbouncer.secrets).toContain('db_password')
    expect(stdout).toContain('service db, add to the command: --max_connections=50')
    expect(await read('pgbouncer/start.sh')).toContain('add l2c_user /run/secrets/db_password')
  })

  test.each([
    [
      'a PgBouncer of its own',
      `${PROJECT}  pgbouncer:\n    image: edoburu/pgbouncer\n`,
      'already has services with these names: pgbouncer',
    ],
    ['no PostgreSQL', 'services:\n  web:\n    image: nginx\n', 'has no PostgreSQL'],
    ['a name from a variable without value', PROJECT.replace('=l2c\n', `=\${NAME}\n`), 'set that variable in .env'],
    ['a name that is no name', PROJECT.replace('=l2c\n', '=a;b\n'), 'cannot be written to the files'],
    ['broken YAML', 'services: [', 'invalid YAML'],
  ])('writes nothing beside a file with %s', async (_what, text, message) => {
    await write('docker-compose.yml', text)
    const { code, stderr } = await generate()

    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(await readdir(folder)).toEqual(['docker-compose.yml'])
  })

  test('replaces its own compose.yaml instead, with --force', async () => {
    await generate()
    const { code } = await generate('--force')

    expect(code).toBe(0)
    expect(await readdir(folder)).not.toContain('compose.poolguard.yaml')
  })

  test('passes the linter with monitoring', async () => {
    await write('docker-compose.yml', PROJECT)
    await generate('--monitoring')

    expect(lintCompose(join(folder, 'compose.poolguard.yaml'))).toEqual([])
  })
})

const describeCompose = await describeWithCompose()
describeCompose('docker compose', () => {
  test('accepts the override', async () => {
    await write('compose.yml', PROJECT)
    await generate()
    await write('compose.override.yml', await read('compose.poolguard.yaml'))
    await write('.env', 'DB_PASSWORD=abc123\nPGBOUNCER_STATS_PASSWORD=abc123\n')

    expect(await composeConfig(folder)).toContain('postgresql://l2c_user:abc123@pgbouncer:6432/l2c')
  })
})

const describePgBouncer = await describeWithPgBouncerProgram('1.26')
describePgBouncer('PgBouncer of the override', () => {
  test('lets a superuser log in, as the role of the PostgreSQL image is one', async () => {
    await write('docker-compose.yml', PROJECT)
    await generate()
    await using server = await startPostgres({ maxConnections: 50 })
    await server.query(`create role l2c_user superuser login password 'pass"word'`)
    await server.query('create database l2c owner l2c_user')
    const [ini, start] = [await read('pgbouncer/pgbouncer.ini'), await read('pgbouncer/start.sh')]
    await using pgBouncer = await startPgBouncerFiles({
      version: '1.26',
      console: { user: 'pgbouncer_stats', password: 'stats' },
      files: ({ folder: own, port, program }) => {
        const here = (text: string) =>
          text
            .replaceAll(/\/run\/secrets|\/etc\/poolguard|\/tmp/g, own)
            .replace('exec pgbouncer', `exec ${program}`)
            .replace('listen_port = 6432', `listen_port = ${port}`)
            .replace('host=db port=5432', `host=${server.host} port=${server.port}`)
        return {
          'start.sh': here(start),
          'pgbouncer.ini': here(ini),
          app_password: 'pass"word',
          pgbouncer_stats_password: 'stats',
        }
      },
    })

    const url = `postgresql://l2c_user:pass%22word@${pgBouncer.host}:${pgBouncer.port}/l2c`
    expect(await queryOnce(url, 'select current_user as name')).toEqual([{ name: 'l2c_user' }])
  })
})
