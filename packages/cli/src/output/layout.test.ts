import { describe, expect, test } from 'vitest'
import { textWidth, wrapBehind } from './layout.ts'
import { ESCAPE_MARK } from './paint.ts'

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

  test('ends a line between two Chinese characters, but not before a comma or inside of a word', () => {
    const text = '请在 pgbouncer.ini 中设置（可选），并执行 RELOAD。'
    expect(wrapBehind('  修改：', text, 26)).toBe(
      ['  修改：请在 pgbouncer.ini', '        中设置（可选），并', '        执行 RELOAD。'].join('\n'),
    )
    expect(wrapBehind('', '连接数已用完，请稍候', 12)).toBe('连接数已用\n完，请稍候')
    expect(wrapBehind('', '连接数已用（完）', 12)).toBe('连接数已用\n（完）')
  })

  test('keeps a command in backticks in one piece in Chinese text', () => {
    expect(wrapBehind('', '请运行 `poolguard 连接 plan`，再重试', 10)).toBe('请运行\n`poolguard 连接 plan`，\n再重试')
  })

  test('does not count colours', () => {
    const painted = `${ESCAPE_MARK}[31mone two three${ESCAPE_MARK}[39m four`
    expect(wrapBehind(`${ESCAPE_MARK}[1m> ${ESCAPE_MARK}[22m`, painted, 16)).toMatch(/three.*\n {2}four$/)
  })

  test('wraps a line of many words and backticks in linear time', () => {
    const lines = wrapBehind('', '`word 连接 '.repeat(2000), 80).split('\n')
    expect(lines.length).toBeGreaterThan(200)
  })

  test('does not wrap without a terminal', () => {
    expect(wrapBehind('', 'word '.repeat(100).trim(), textWidth(undefined))).not.toContain('\n')
  })
})

test('the width is the terminal’s, within limits', () => {
  expect([20, 80, 300].map((columns) => textWidth(columns))).toEqual([40, 80, 110])
})
