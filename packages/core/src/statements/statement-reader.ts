import { Tokenizer } from './tokenizer.ts'

/**
 * The tokens of a text without blanks and comments. If the text was cut, the last token counts as the end, because
 * it may be incomplete.
 */
export class StatementReader extends Tokenizer {
  /** Whether the text was cut, so that more may follow. */
  readonly cut: boolean

  constructor(text: string, cut: boolean) {
    super(text)
    this.cut = cut
  }

  override next(): boolean {
    do super.next()
    while (this.kind === 'blank' || this.kind === 'comment')
    if (this.cut && this.end === this.text.length) this.finish()
    return this.kind !== 'end'
  }

  /** Whether the token ends the statement. */
  isStatementEnd(): boolean {
    return this.kind === 'end' || this.isPunctuation(';')
  }

  /** Moves past the token if it is this word. Returns whether it was. */
  takeWord(word: string): boolean {
    if (!this.isWord(word)) return false
    this.next()
    return true
  }

  takePunctuation(character: string): boolean {
    if (!this.isPunctuation(character)) return false
    this.next()
    return true
  }

  /** Reads `name.name...`, in lower case and without quotes; empty if there is no name. */
  takeDottedName(): string {
    let dotted = ''
    while (this.kind === 'word' || this.kind === 'name') {
      const quotes = this.kind === 'name' ? 1 : 0
      dotted += this.text.slice(this.start + quotes, this.end - quotes).toLowerCase()
      this.next()
      if (!this.takePunctuation('.')) break
      dotted += '.'
    }
    return dotted
  }
}
