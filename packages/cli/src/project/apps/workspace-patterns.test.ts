import { expect, test } from 'vitest'
import { isInWorkspace } from './workspace-patterns.ts'

test.each<[path: string, patterns: string[], isInside: boolean]>([
  ['apps/web', ['apps/*'], true],
  ['apps/web', ['./apps/*'], true],
  ['apps/web', ['apps/*/'], true],
  ['apps/web/nested', ['apps/*'], false],
  ['apps/web/nested', ['apps/**'], true],
  ['apps', ['apps/**'], true],
  ['services/api-orders', ['services/api-*'], true],
  ['services/orders', ['services/api-*'], false],
  ['packages/db', ['{apps,packages}/*'], true],
  ['docs', ['docs'], true],
  ['packages/a/test/app', ['packages/**', '!**/test/**'], false],
  ['packages/a', ['packages/**', '!**/test/**'], true],
])('%s in %j: %s', (path, patterns, isInside) => {
  expect(isInWorkspace(path, patterns)).toBe(isInside)
})
