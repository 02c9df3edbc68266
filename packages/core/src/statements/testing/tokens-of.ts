import { Tokenizer, type TokenKind } from '../tokenizer.ts'

/** All tokens of a text, as `[kind, text]`. */
export function tokensOf(text: string): [kind: TokenKind, text: string][] {
  const tokens: [TokenKind, string][] = []
  const tokenizer = new Tokenizer(text)
  while (tokenizer.next()) tokens.push([tokenizer.kind, text.slice(tokenizer.start, tokenizer.end)])
  return tokens
}
