/** A word or phrase that plain technical English does not use, and what to write instead. */
export interface Pattern {
  readonly name: string
  readonly expression: RegExp
  readonly instead: string
}

/** The rules for words stand in CONTRIBUTING.md. */
export const PATTERNS: readonly Pattern[] = [
  { name: 'told', expression: /\btold\b/i, instead: 'reports, warns, shows, knows: name who does it' },
  { name: 'nobody', expression: /\bnobody\b/i, instead: 'no caller, no session, no one else: name who' },
  { name: 'somebody', expression: /\b(?:somebody|someone)\b/i, instead: 'a caller, another role, a person: name who' },
  { name: 'whoever', expression: /\bwho(?:ever|soever)\b/i, instead: 'the caller that, every role that' },
  { name: 'cannot be meant', expression: /\bcan(?:not|'t) be meant\b/i, instead: 'is invalid' },
  {
    name: 'be had',
    expression: /\b(?:to|cannot|can) be had\b/i,
    instead: 'is available, can be opened, is unsupported',
  },
  {
    name: 'stands',
    expression: /\bstands? (?:there|at|between|over|beside|before|behind|by itself)\b/i,
    instead: 'is, appears',
  },
  { name: 'all the same', expression: /\ball the same\b/i, instead: 'still, nevertheless; or leave it out' },
  { name: 'for ever', expression: /\bfor ever\b/i, instead: 'indefinitely, without a limit' },
  { name: 'anyhow', expression: /\banyhow\b/i, instead: 'leave it out' },
  { name: 'wish', expression: /\bwish(?:es|ed)?\b/i, instead: 'setting, option; requests, sets' },
  { name: 'without end', expression: /\bwithout end\b/i, instead: 'without a limit' },
  { name: 'is asked', expression: /\b(?:is|are|was|were) asked\b/i, instead: 'the pool queries, the command asks' },
  { name: 'comes to be', expression: /\bcomes? to be\b/i, instead: 'becomes' },
  {
    name: 'what-clause',
    expression: /(?:^|[.:;] )What [^.?!:]{2,60} (?:is|are|was|were|has been) \w+(?:ed|en|d)\b(?![^.]*\?)/,
    instead: 'name the thing, and who does what to it',
  },
]

export interface Match {
  readonly pattern: Pattern
  /** The text around it, on one line. */
  readonly excerpt: string
}

/** Every pattern in a piece of prose. What is in backticks or double quotes is quoted, and may say anything. */
export function findPatterns(prose: string): readonly Match[] {
  const own = prose.replaceAll(/`[^`\n]*`|"[^"\n]*"|\u201c[^\u201d]*\u201d/g, (quoted) => ' '.repeat(quoted.length))
  return PATTERNS.flatMap((pattern) =>
    [...own.matchAll(new RegExp(pattern.expression, `${pattern.expression.flags}gm`))].map(({ index, 0: text }) => ({
      pattern,
      excerpt: prose
        .slice(Math.max(0, index - 30), index + text.length + 30)
        .replaceAll(/\s+/g, ' ')
        .trim(),
    })),
  )
}
