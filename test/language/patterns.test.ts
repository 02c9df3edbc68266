import { describe, expect, test } from 'vitest'
import { findPatterns, PATTERNS } from './patterns.ts'
import { proseOfMarkdown, proseOfSource } from './prose.ts'

const EXAMPLES: Readonly<Record<string, string>> = {
  told: 'The caller is told why.',
  nobody: 'Closed when nobody uses it.',
  somebody: 'Somebody else holds it.',
  whoever: 'Whoever asks first.',
  'cannot be meant': 'An option that cannot be meant.',
  'be had': 'What cannot be had.',
  stands: 'The name stands there.',
  'all the same': 'It is closed all the same.',
  'for ever': 'It waits for ever.',
  anyhow: 'It is public anyhow.',
  wish: 'What the app wishes.',
  'without end': 'It waits without end.',
  'is asked': 'The server is asked for it.',
  'comes to be': 'It comes to be slow.',
  'what-clause': 'What the caller sends is counted.',
}

describe('the patterns', () => {
  test.each(PATTERNS.map(({ name }) => name))('%s is found', (name) => {
    expect(findPatterns(EXAMPLES[name] ?? '').map(({ pattern }) => pattern.name)).toContain(name)
  })

  test.each([
    'If the server is full, the pool retries one connection at a time.',
    'Quoted: "nobody", `told` and \u201cwhoever\u201d.',
    'What does it cost?',
  ])('plain text has none: %s', (text) => {
    expect(findPatterns(text)).toEqual([])
  })
})

test('comments and texts of sources are prose, names and code are not', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source code.
  const source = "/** Nobody. */\nconst whoever = 'x' // told\nthrow new Error(`no ${whoever} stands there`)\n"

  expect(proseOfSource('a.ts', source).map(({ text }) => text.trim())).toEqual(['Nobody.', 'told', 'stands there'])
})

test('code and quotations of documents are not prose', () => {
  expect(proseOfMarkdown('One.\n\n```ts\nnobody()\n```\n\n> told\n\nTwo.\n')).toEqual([
    { text: 'One.', line: 1 },
    { text: 'Two.', line: 9 },
  ])
})
