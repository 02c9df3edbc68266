import { expect, test } from 'vitest'
import { blocksOf, crowdedPassages, differences, readPage, translatedPages } from './translated-pages.ts'

test.each(translatedPages())(
  '$chinese has the structure, the code, the numbers and the links of $english',
  ({ english, chinese }) => {
    expect(differences(blocksOf(english, readPage(english)), blocksOf(chinese, readPage(chinese)))).toEqual([])
  },
)

test.each(translatedPages())(
  '$chinese has a space between Chinese and Latin words, and full-width punctuation',
  ({ chinese }) => {
    expect(crowdedPassages(readPage(chinese))).toEqual([])
  },
)

test.each([
  ['使用 `max` 和 pg 的[连接池](a.md)。', []],
  ['![连接池](a.svg)', []],
  ['使用max的连接池', ['使用max的连接池']],
  ['连接池, 等待', ['连接池, 等待']],
  ['```sh\nnpx # 中文a\n```\n', []],
])('crowded passages of %j: %j', (text, passages) => {
  expect(crowdedPassages(text)).toEqual(passages)
})

const english = '## Size\n\nThe pool has 10 connections: `max`.\n\n```ts\nf() // ten\n```\n'
test.each([
  ['a translation', '## 大小\n\n连接池有 10 个连接：`max`。\n\n```ts\nf() // 十\n```\n', 0],
  ['another number', '## 大小\n\n连接池有 20 个连接：`max`。\n\n```ts\nf() // 十\n```\n', 1],
  ['another option', '## 大小\n\n连接池有 10 个连接：`min`。\n\n```ts\nf() // 十\n```\n', 1],
  ['another level', '### 大小\n\n连接池有 10 个连接：`max`。\n\n```ts\nf() // 十\n```\n', 1],
  ['other code', '## 大小\n\n连接池有 10 个连接：`max`。\n\n```ts\ng() // 十\n```\n', 1],
  ['a paragraph less', '## 大小\n\n```ts\nf() // 十\n```\n', 1],
])('the comparison of pages finds %s', (_, chinese, count) => {
  const blocks = (text: string) => blocksOf('docs/sizing.md', text)
  expect(differences(blocks(english), blocks(chinese))).toHaveLength(count)
})
