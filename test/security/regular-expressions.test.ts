import { describe, expect, it } from 'vitest'
import { expressionsOf, sourceExpressions, superlinearExpressions, superlinearParts } from './regular-expressions.ts'

const ROOT = new URL('../../', import.meta.url)

describe("given the regular expressions of the packages' sources", () => {
  it('then each takes linear time', () => {
    const expressions = sourceExpressions(ROOT)
    // Without this the test would pass when it finds nothing.

    expect(expressions.length).toBeGreaterThan(150)
    expect(superlinearExpressions(expressions)).toEqual([])
  })
})

describe('given a regular expression that takes more than linear time', () => {
  it.each([
    ['(a+)+$', ''],
    ['(?:a|a)*b', ''],
    ['^\\s*(\\d+)?\\s*$', ''],
    ['\\s+$', ''],
    ['.*\\n', ''],
    ['\\[[^\\]]*\\]', 'g'],
    ['^\\s*name\\s*=', 'm'],
  ])('then /%s/%s is found', (pattern, flags) => {
    expect(superlinearParts({ pattern, flags })).not.toEqual([])
  })

  it.each([
    ['a literal', 'const A = /(a+)+$/'],
    ['a text for RegExp', "const A = new RegExp('(a+)+$', 'i')"],
    ['a call of RegExp', "const A = RegExp('(a+)+$')"],
    ['a template', `const A = new RegExp(\`^$\{x}(a+)+$\`)`],
    ['a raw template', `const A = new RegExp(String.raw\`(\\w+)+$\{x}$\`)`],
    ['a constant in a template', `const PART = '(a+)+$'; const A = new RegExp(\`^$\{PART}\`)`],
  ])('then it is found as %s', (_form, source) => {
    expect(superlinearExpressions(expressionsOf('a.ts', source))).not.toEqual([])
  })
})

it.each(['^[a-z]{1,9}$', "'[^']*'", '(?<!/)/+$', 'a|b'])('given /%s/, then it takes linear time', (pattern) => {
  expect(superlinearParts({ pattern, flags: '' })).toEqual([])
})
