import { expect, test } from 'vitest'
import { isHarmlessPath } from './is-harmless-path.ts'

const LONG = 'customers/europe/germany/orders/deployments'

test.each<[path: string, separator: string, isHarmless: boolean]>([
  ['deploy', '/', true],
  [LONG, '/', true],
  [LONG, '\\', true],
  [LONG.replaceAll('/', '\\'), '\\', true],
  ['C:\\orders\\deploy', '\\', true],
  ['s3c\\ret', '/', false],
  ['postgres://app:s3cret@db', '/', false],
  ['postgres://app:s3cret@db', '\\', false],
  ['app:s3cret@db\\orders', '\\', false],
])('%s with the separator %s', (path, separator, isHarmless) => {
  expect(isHarmlessPath(path, separator)).toBe(isHarmless)
})
