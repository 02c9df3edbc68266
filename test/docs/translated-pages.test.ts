import { expect, test } from 'vitest'
import { blocksOf, differences, readPage, translatedPages } from './translated-pages.ts'

test.each(translatedPages())(
  '$chinese has the structure, the code, the numbers and the links of $english',
  ({ english, chinese }) => {
    expect(differences(blocksOf(english, readPage(english)), blocksOf(chinese, readPage(chinese)))).toEqual([])
  },
)
