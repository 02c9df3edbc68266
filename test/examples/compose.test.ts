import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from '../docs/documents.ts'
import { composeConfig, describeWithCompose } from '../harness/index.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'

const EXAMPLE = join(ROOT, 'examples/compose')

describe('the example in containers', () => {
  test('is what the command writes, and nothing changed', async () => {
    const { scripts } = JSON.parse(readFileSync(join(EXAMPLE, 'package.json'), 'utf8'))
    const args = scripts.write
      .replace(/^poolguard /, '')
      .replace(' --force', ' --print --json')
      .split(' ')
    const { files } = JSON.parse((await runPoolguard(args, { folder: EXAMPLE })).stdout) as {
      files: { path: string; content: string }[]
    }
    expect(files.map(({ path }) => path)).toEqual(expect.arrayContaining(['compose.yaml', '.env.example']))
    for (const { path, content } of files) expect(readFileSync(join(EXAMPLE, path), 'utf8'), path).toBe(content)
  })
})

const describeCompose = await describeWithCompose()
describeCompose('the example, as Docker Compose reads it', () => {
  test('is an app of three instances with a gateway before them, on what was generated', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'poolguard-compose-'))
    try {
      cpSync(EXAMPLE, folder, { recursive: true, filter: (source) => !source.includes('node_modules') })
      const example = readFileSync(join(folder, '.env.example'), 'utf8')
      writeFileSync(join(folder, '.env'), example.replaceAll(/^(\w+)=$/gm, '$1=a1b2c3'))
      const { services } = parse(await composeConfig(folder))
      expect(services).toMatchObject({
        postgres: {
          volumes: expect.arrayContaining([
            expect.objectContaining({ target: expect.stringContaining('20-notes.sql') }),
          ]),
        },
        pgbouncer: {},
        app: { deploy: { replicas: 3 }, build: {}, environment: { PORT: '3000', DB_POOL_MAX: expect.any(String) } },
        gateway: {},
        prometheus: {},
        grafana: {},
      })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
