import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { readOptions } from '../sqlite-options.ts'
import { DRIVERS, newDatabase } from '../testing/database-folder.ts'
import { SqliteConnection } from './sqlite-connection.ts'

describe.each(DRIVERS)('a connection of %s', (driver) => {
  test('closes with its thread, even with questions sent at the same time', async () => {
    const spec = { ...readOptions({ file: newDatabase(), driver }).connection, role: 'writer' } as const
    const context = { signal: new AbortController().signal, lost: () => {} }
    const connection = await SqliteConnection.open('app', spec, context, () => {})
    const closed = connection.close()
    const late = connection.ask(['query', 'anywhere', 'SELECT 1', []])
    await Promise.all([closed, expect(late).rejects.toThrow()])
    await expect(connection.ask(['set up'])).rejects.toMatchObject({ code: 'POOLGUARD_CONNECTION_LOST' })
  })

  test('whose opening is aborted ends its thread only after the thread has loaded its driver', async () => {
    const spec = { ...readOptions({ file: newDatabase(), driver }).connection, role: 'writer' } as const
    const events: string[] = []
    const started = new Promise<Worker>((resolve) => process.once('worker', resolve))
    const attempt = new AbortController()
    const opening = SqliteConnection.open('app', spec, { signal: attempt.signal, lost: () => {} }, () => {})
    attempt.abort(new Error('aborted by the test'))
    const thread = await started
    thread.once('message', ({ opened }) => events.push(`opened: ${opened}`))
    const exited = once(thread, 'exit')
    await expect(opening).rejects.toThrow('aborted by the test')
    await exited
    expect(events).toEqual(['opened: true'])
  })
})
