import { Tokenizer } from './tokenizer.ts'

/**
 * The tokens of a text without blanks and comments. Where the text was cut, the token that touches the cut is taken for the
 * end: nothing is concluded from half a word.
 */
export class StatementReader extends Tokenizer {
  /** Whether the text went on: what was not seen may have followed. */
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

  /** Whether the statement has nothing more to say. */
  isStatementEnd(): boolean {
    return this.kind === 'end' || this.isPunctuation(';')
  }

  /** Whether the token is this word; if so, moves past it. */
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

  /** Reads `name.name...`, in lower case and without quotes; empty where no name stands. */
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
