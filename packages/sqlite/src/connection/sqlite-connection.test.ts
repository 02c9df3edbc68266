import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { readOptions } from '../sqlite-options.ts'
import { DRIVERS, newDatabase } from '../testing/database-folder.ts'
import { SqliteConnection } from './sqlite-connection.ts'

describe.each(DRIVERS)('a connection of %s', (driver) => {
  test('ends with its thread, whatever it is asked together with its end', async () => {
    const spec = { ...readOptions({ file: newDatabase(), driver }).connection, role: 'writer' } as const
    const context = { signal: new AbortController().signal, lost: () => {} }
    const connection = await SqliteConnection.open('app', spec, context, () => {})
    const closed = connection.close()
    const late = connection.ask(['query', 'anywhere', 'SELECT 1', []])
    await Promise.all([closed, expect(late).rejects.toThrow()])
    await expect(connection.ask(['set up'])).rejects.toMatchObject({ code: 'POOLGUARD_CONNECTION_LOST' })
  })

  test('that nobody wants any more ends its thread once that has loaded its driver, and not before', async () => {
    const spec = { ...readOptions({ file: newDatabase(), driver }).connection, role: 'writer' } as const
    const events: string[] = []
    const started = new Promise<Worker>((resolve) => process.once('worker', resolve))
    const attempt = new AbortController()
    const opening = SqliteConnection.open('app', spec, { signal: attempt.signal, lost: () => {} }, () => {})
    attempt.abort(new Error('nobody wants it'))
    const thread = await started
    thread.once('message', ({ opened }) => events.push(`opened: ${opened}`))
    const exited = once(thread, 'exit')
    await expect(opening).rejects.toThrow('nobody wants it')
    await exited
    expect(events).toEqual(['opened: true'])
  })
})
