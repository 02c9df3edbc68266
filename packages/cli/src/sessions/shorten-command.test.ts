import { expect, test } from 'vitest'
import { shortenCommand } from './shorten-command.ts'

test.each([
  [['/usr/bin/node', '/srv/orders/dist/main.js'], 'node dist/main.js'],
  [['node', '-r', 'dotenv/config', '--enable-source-maps', 'dist/main.js', 'worker'], 'node dist/main.js worker'],
  [['next-server (v16.0.1)'], 'next-server (v16.0.1)'],
  [['node', 'dist/main.js', 'postgresql://app:s3cret@db/orders'], 'node dist/main.js postgresql://app:**...'],
  [['node', 'app.js', '{"url":1}'], 'node app.js'],
  [[], ''],
])('%j is %s', (words, shown) => {
  expect(shortenCommand(words)).toBe(shown)
})
