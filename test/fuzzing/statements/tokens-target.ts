import fc from 'fast-check'
import { Tokenizer } from '../../../packages/core/src/statements/tokenizer.ts'
import type { FuzzTarget } from '../fuzz-target.ts'
import { type LexedToken, lexTokens, loadParser } from './parser.ts'
import { sqlTexts } from './sql-texts.ts'

/** One string for PostgreSQL. libpg_query ends it at the comment, to report the comment as a token. */
const COMMENT_IN_STRING = /'\s*--[^\n\r]*[\n\r][\s\S]*'/

export const tokensTarget: FuzzTarget = {
  name: 'tokens',
  claim: "strings, names, comments and semicolons are where PostgreSQL's lexer finds them",
  cases: 10_000,
  matrixCases: 1_000_000,
  async prepare() {
    await loadParser()
    const counts = { 'texts that the lexer accepts': 0, tokens: 0 }
    const property = fc.property(sqlTexts, (text) => {
      const lexed = lexTokens(text)
      if (!lexed || COMMENT_IN_STRING.test(text)) return
      counts['texts that the lexer accepts']++
      const theirs = lexed.filter((token) => !isOperator(token)).map((token) => token.text)
      const ours = ownTokens(text)
      counts.tokens += ours.length
      const at = ours.findIndex((token, index) => token !== theirs[index])
      if (at >= 0 || ours.length !== theirs.length) {
        const [own, their] = [ours[at], theirs[at < 0 ? ours.length : at]].map((token) => JSON.stringify(token))
        throw new Error(`poolguard has ${own} where the lexer has ${their}: ${text}`)
      }
    })
    return { property, counts }
  },
}

/** An operator's end differs on purpose: the tokenizer takes the longest run. */
function isOperator({ text }: LexedToken): boolean {
  return /^[-+*/<>=~!@#%^&|`?:]/.test(text) && !/^(?:--|\/\*)/.test(text)
}

function ownTokens(text: string): readonly string[] {
  const tokens = new Tokenizer(text)
  const found: string[] = []
  while (tokens.next()) {
    const token = text.slice(tokens.start, tokens.end)
    if (tokens.kind !== 'blank' && tokens.kind !== 'operator' && token !== ':') found.push(token)
  }
  return found
}
