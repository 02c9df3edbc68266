import { execFile } from 'node:child_process'
import { expect, test } from 'vitest'
import { cleanEnvironment } from '../../integration/run-poolguard.ts'
import { findLeaks } from './find-leaks.ts'

const SECRET = 'Zx7qPw/3nKv9t@Rb5mJd2hYc8g'
const URL_WITH_SECRET = `postgres://app:${SECRET}@127.0.0.1:1/db?token=${SECRET}`

const SCRIPTS: Readonly<Record<string, string>> = {
  pg: `import { guardPool } from '@poolguard/pg'
    await guardPool({ url: process.env.GIVEN }).query('select 1')`,
  'pg, in a rejection that nothing handles': `import { guardPool } from '@poolguard/pg'
    const pool = guardPool({ url: process.env.GIVEN })
    Promise.reject(Object.assign(new Error('of the app'), { pool }))`,
  'postgres.js': `import { guardPostgres } from '@poolguard/postgres-js'
    const sql = guardPostgres(process.env.GIVEN)
    await sql\`select 1\``,
  'TypeORM with all it logs': `import 'reflect-metadata'
    import { DataSource } from 'typeorm'
    import { guardDataSource } from '@poolguard/typeorm'
    await new DataSource(guardDataSource({ type: 'postgres', url: process.env.GIVEN, logging: 'all' })).initialize()`,
  'NestJS with its logger': `import 'reflect-metadata'
    import { Logger, Module } from '@nestjs/common'
    import { NestFactory } from '@nestjs/core'
    import { PoolguardModule } from '@poolguard/nestjs'
    class App {}
    Module({ imports: [PoolguardModule.forRoot({ url: process.env.GIVEN + '&sslmode=none-such' })] })(App)
    await NestFactory.createApplicationContext(App)`,
  'an option in a wrong place': `import { guardPool } from '@poolguard/pg'
    guardPool({ url: 'postgres://127.0.0.1:1', pool: { max: process.env.GIVEN } })`,
}

test.each(Object.entries(SCRIPTS))('%s: an uncaught error is printed without a secret', async (_name, script) => {
  const cwd = new URL('../../', import.meta.url)
  const env = cleanEnvironment({ GIVEN: URL_WITH_SECRET, NODE_DEBUG: 'poolguard' })
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { cwd, env }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })

  // Node prints the arguments of no script, but the error.
  expect(output).toMatch(/Error/)
  expect(findLeaks(SECRET, [{ where: 'output', text: output }])).toEqual([])
})
