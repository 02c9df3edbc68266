import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { runCommandLine } from '../../../packages/cli/src/command-line.ts'
import { sample } from '../../matrix.ts'
import { SAMPLE_SIZE } from './expect-no-leaks.ts'
import { findLeaks, type Output } from './find-leaks.ts'
import { type SecretShape, TEXT_SHAPES } from './text-shapes.ts'

const started = process.cwd()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'poolguard-secrets-'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(started)
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a command in this process, and tells what it has written. */
async function run(args: readonly string[]): Promise<Output[]> {
  const outputs: Output[] = []
  const where = args.map((each) => each.slice(0, 20)).join(' ')
  const keep = (stream: string) => (text: unknown) => {
    outputs.push({ where: `${where}, ${stream}`, text: String(text) })
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep('stdout') as never),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep('stderr') as never),
  ]
  try {
    await runCommandLine(args)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return outputs
}

async function expectNoLeaks(commands: (shape: SecretShape) => readonly (readonly string[])[]): Promise<void> {
  const leaks: string[] = []
  for (const shape of sample(TEXT_SHAPES, SAMPLE_SIZE)) {
    for (const args of commands(shape)) {
      const outputs = await run(args)
      expect(outputs.length, args.join(' ')).toBeGreaterThan(0)
      leaks.push(...findLeaks(shape.secret, outputs).map((leak) => `${shape.name}: ${leak}`))
    }
  }
  expect(leaks.length, `secrets are shown:\n${leaks.join('\n')}`).toBe(0)
}

test('the address itself is shown, so that there is something to hide in', async () => {
  const outputs = await run(['verify', 'postgres://app:s3cret-of-mine@127.0.0.1:1/db?token=s3cret-of-mine'])

  expect(outputs.map(({ text }) => text).join('')).toContain('postgres://app@127.0.0.1:1/db: ')
})

const COMMANDS: readonly (readonly string[])[] = [
  ['plan', '--instances', '2'],
  ['doctor'],
  ['free', '--dry-run'],
  ['verify'],
  ['stress', '--duration', '1'],
  ['monitor', '--samples', '1', '--interval', '0.1'],
  ['optimize'],
  ['generate', 'env', '--instances', '2'],
  ['generate', 'postgres'],
  ['generate', 'pgbouncer'],
]

test.each(COMMANDS.map((command) => [command.join(' '), command] as const))(
  '%s shows no secret of the URL that it is given',
  async (_name, command) => {
    await expectNoLeaks(({ text }) => [
      [...command, text],
      [...command, text, '--json'],
    ])
  },
)

test.each(['doctor', 'verify', 'plan'])('%s shows no secret of a file of variables', async (command) => {
  await expectNoLeaks(({ text }) => {
    const file = join(folder, 'variables.env')
    const quote = ['"', "'", '`'].find((each) => !text.includes(each)) ?? '"'
    writeFileSync(file, `DATABASE_URL=${quote}${text}${quote}\n`)
    return [[command, '--dotenv', file]]
  })
})

test('check shows no secret of the server that it asks, nor of a directory or a workload', async () => {
  await expectNoLeaks(({ text }) => [
    ['check', folder, '--url', text],
    ['check', folder, '--url', text, '--json'],
    ['check', text],
    ['check', folder, '--max-connections', '100', '--instances', `${text}=3`],
    ['check', folder, '--max-connections', text, '--format', 'sarif'],
  ])
})

test('check shows no secret of the environment in a deployment file', async () => {
  const project = join(folder, 'deployed')
  mkdirSync(project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{"dependencies":{"pg":"8"}}')
  await expectNoLeaks(({ text }) => {
    const environment = { DATABASE_URL: text, POSTGRES_MAX_CONNECTIONS: '9' }
    const services = {
      api: { build: '.', environment, scale: 500 },
      db: { image: 'postgres:18', command: '# comment', environment },
    }
    writeFileSync(join(project, 'compose.yaml'), JSON.stringify({ services }).replaceAll('$', '$$$$'))
    return [
      ['check', project],
      ['check', project, '--json'],
      ['check', project, '--format', 'sarif'],
      ['check', project, '--format', 'github'],
    ]
  })
})

test('no command shows a secret that stands where something else is expected', async () => {
  await expectNoLeaks(({ text }) => [
    [text],
    [text, '--json'],
    ['doctor', 'postgres://app@127.0.0.1:1/db', text],
    ['doctor', '--offline', '--instances', text],
    ['doctor', '--offline', `--instances=${text}`],
    ['doctor', `--${text}`],
    ['verify', '--expect', text],
    ['verify', 'postgres://app@127.0.0.1:1/db', '--pooler-url', text],
    ['monitor', '--interval', text, '--json'],
    ['generate', text],
    ['free', '--older-than', text],
    ['stress', '--max', text],
    ['optimize', '--memory', text],
    ['doctor', '--dotenv', text],
  ])
})

const GENERATED: readonly (readonly [what: string, ...options: string[]])[] = [
  ['compose', '--memory', '2GB'],
  ['pgbouncer'],
  ['postgres', '--memory', '2GB'],
  ['env'],
]

test.each(GENERATED)('generate %s writes no secret of the URL that it is given', async (what, ...given) => {
  const leaks: string[] = []
  let written = 0
  for (const { name, text, secret } of sample(TEXT_SHAPES, SAMPLE_SIZE)) {
    const out = join(folder, `out-${what}`)
    const options = [...given, '--instances', '2', '--max-connections', '100', '--out', out, '--force']
    const outputs = await run(['generate', what, text, ...options])
    const files = filesIn(out)
    written += files.length
    leaks.push(...findLeaks(secret, [...outputs, ...files]).map((leak) => `${name}: ${leak}`))
    rmSync(out, { recursive: true, force: true })
  }
  expect(written).toBeGreaterThan(0)
  expect(leaks.length, `secrets are written:\n${leaks.join('\n')}`).toBe(0)
})

function filesIn(home: string): Output[] {
  const names = statSync(home, { throwIfNoEntry: false })
    ? readdirSync(home, { recursive: true, encoding: 'utf8' })
    : []
  return names
    .filter((name) => statSync(join(home, name)).isFile())
    .map((name) => ({ where: name, text: readFileSync(join(home, name), 'utf8') }))
}
