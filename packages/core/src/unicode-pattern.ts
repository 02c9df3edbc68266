/** What a Unicode class of a pattern has in common with the printable ASCII characters, within brackets. */
const PRINTABLE: Readonly<Record<string, string>> = {
  '\\p{L}': 'A-Za-z',
  '\\p{N}': '0-9',
  '\\p{Cc}': '',
  '\\p{Cf}': '',
}

const PRINTABLE_ONLY = /^[ -~]*$/

/**
 * A regular expression with Unicode classes in brackets. V8 builds the tables of such classes as soon as it parses one, which takes longer
 * than all other expressions of poolguard together; a printable ASCII text needs none of them.
 *
 * @example
 * new UnicodePattern(String.raw`^[\p{L}_]+$`).test('naïve') // true
 */
export class UnicodePattern {
  readonly #source: string
  readonly #printable: RegExp
  #full: RegExp | undefined

  constructor(source: string) {
    this.#source = source
    this.#printable = new RegExp(
      source.replaceAll(/\\p\{\w+\}/g, (name) => PRINTABLE[name] ?? name),
      'u',
    )
  }

  test(text: string): boolean {
    if (PRINTABLE_ONLY.test(text)) return this.#printable.test(text)
    this.#full ??= new RegExp(this.#source, 'u')
    return this.#full.test(text)
  }
}
