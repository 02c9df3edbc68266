import { describe, expect, test } from 'vitest'
import { SqliteConnection } from './sqlite-connection.ts'
import { readOptions } from './sqlite-options.ts'
import { DRIVERS, newDatabase } from './testing/database-folder.ts'

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
})
