import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { appDatabase, connectionUrl } from './credentials.ts'
import { failureOf } from './fixtures/failure-of.ts'
import { freePort, loopback } from './free-port.ts'
import { queryOnce } from './index.ts'
import { startByPgCtl } from './pg-ctl.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { stopSignals } from './postgres-server.ts'
import { initialise, runOnServer } from './postgres-template.ts'
import { makeServerFolder, removeServerFolder } from './server-folder.ts'
import type { ServerProcess } from './server-process.ts'

const endMillis = 60_000

/** On Windows, all servers start so; here it runs on every system. */
describe('a server that pg_ctl starts', () => {
  let folder: string
  let data: string

  beforeAll(async () => {
    folder = makeServerFolder('postgres')
    const binaries = await postgresBinaries(18)
    data = await initialise(binaries, folder)
    await runOnServer(binaries, data)
  })

  afterAll(() => removeServerFolder(folder))

  async function start(port: number, ...args: string[]): Promise<ServerProcess> {
    const binaries = await postgresBinaries(18)
    const own = ['-p', String(port), '-c', `listen_addresses=${loopback}`, '-c', 'unix_socket_directories=']
    const common = { binaries, data, logFile: join(folder, 'server.log'), reaperSignal: stopSignals.immediate }
    return startByPgCtl({ ...common, args: [...own, ...args] })
  }

  test.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'runs, has the role and the database, and ends by %s',
    async (signal) => {
      const port = await freePort()
      const server = await start(port, '-c', 'work_mem=1MB')
      const url = connectionUrl({ host: loopback, port })

      expect(server.isRunning, server.log()).toBe(true)
      expect(await queryOnce(url, `SELECT current_database() AS name, current_setting('work_mem') AS mem`)).toEqual([
        { name: appDatabase, mem: '1MB' },
      ])
      await server.end(signal, endMillis)
      expect(server.isRunning).toBe(false)
      expect((await failureOf(queryOnce(url, 'SELECT 1'))).code).toBe('ECONNREFUSED')
    },
  )

  test('that cannot start has ended, and its log says why', async () => {
    const server = await start(await freePort(), '-c', 'no_such_setting=1')

    expect(server.isRunning).toBe(false)
    expect(server.log()).toContain('unrecognized configuration parameter "no_such_setting"')
  })
})
