import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import * as core from './index.ts'

const packages = join(import.meta.dirname, '..', '..')

/** Every error class in the sources of all packages, with its body. */
const classes = readdirSync(packages)
  .flatMap((name) => {
    const folder = join(packages, name, 'src')
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    return files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts')).map((file) => join(folder, file))
  })
  .flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/^(?:export )?class (\w+) extends \w*Error \{$(.*?)^\}$/gms),
  ])
  .map(([, name = '', body = '']) => [name, body] as const)

test('the error classes are found', () => {
  const names = classes.map(([name]) => name)
  expect(names).toEqual(
    expect.arrayContaining(['AcquireTimeoutError', 'LoadShedError', 'SqliteError', 'UnsupportedAdapterError']),
  )
})

test.each(classes)('%s sets its name, so that a minifying bundler does not change it', (name, body) => {
  const onPrototype = body.includes(`${name}.prototype.name = '${name}'`)
  expect(onPrototype || new RegExp(`override readonly name(: string)? = '${name}'`).test(body)).toBe(true)
})

test('given classes that a bundler has renamed, then the errors and their stacks have the documented name', () => {
  const Renamed = class a extends core.PoolClosedError {}
  const error = new Renamed('orders')

  expect(error.name).toBe('PoolClosedError')
  expect(error.stack).toMatch(/^PoolClosedError: /)
})
