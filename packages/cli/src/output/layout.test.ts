import { describe, expect, test } from 'vitest'
import { textWidth, wrapBehind } from './layout.ts'

describe('wrapBehind', () => {
  test('indents the next lines to the end of the label', () => {
    expect(wrapBehind('  Why: ', 'one two three four', 16)).toBe('  Why: one two\n       three\n       four')
  })

  test('keeps a command in backticks in one piece', () => {
    expect(wrapBehind('', 'now run `ALTER ROLE app SET x = 1` please', 20)).toBe(
      'now run\n`ALTER ROLE app SET x = 1`\nplease',
    )
  })

  test('keeps indented lines as they are', () => {
    const command = '  select pg_terminate_backend(pid) from pg_stat_activity;'
    expect(wrapBehind('> ', `Run this:\n${command}`, 20)).toBe(`> Run this:\n  ${command}`)
  })

  test('counts wide characters twice', () => {
    expect(wrapBehind('', '数据库 连接数 已用完', 14)).toBe('数据库 连接数\n已用完')
  })

  test('does not wrap without a terminal', () => {
    expect(wrapBehind('', 'word '.repeat(100).trim(), textWidth(undefined))).not.toContain('\n')
  })
})

test('the width is the terminal’s, within limits', () => {
  expect([20, 80, 300].map((columns) => textWidth(columns))).toEqual([40, 80, 110])
})
