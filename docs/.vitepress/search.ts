/**
 * The words of a text, for the search. Chinese has no spaces between words. VitePress runs the source of this function in the
 * browser, so that it uses nothing outside of itself.
 */
export function wordsOf(text: string): string[] {
  const segmenter = new Intl.Segmenter('zh', { granularity: 'word' })
  return text.split(/[\n\r\p{Z}\p{P}]+/u).flatMap((word) => {
    if (!/\p{Script=Han}/u.test(word)) return [word]
    return Array.from(segmenter.segment(word), ({ segment }) => segment)
  })
}
