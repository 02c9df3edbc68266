import { RecentKeys, shareObstacle } from '../../statements/index.ts'

/** Texts of which it is remembered whether they only read. */
const MAX_TEXTS = 2_000

/** Decides by the text of a statement whether it only reads. */
export class ReadTexts {
  readonly #known = new RecentKeys<string, boolean>(MAX_TEXTS)

  onlyReads(text: string): boolean {
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const onlyReads = shareObstacle(text, 'reads') === undefined
    this.#known.add(text, onlyReads)
    return onlyReads
  }

  /** The server has rejected a statement because it writes: a view or a function does, which the text does not show. */
  addWriting(text: string): void {
    this.#known.add(text, false)
  }
}
