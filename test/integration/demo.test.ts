import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { PageDocument } from '@poolguard/page'
import { describe, expect, test } from 'vitest'
import { describeWithPgBouncer, hasSignals, waitUntil } from '../harness/index.ts'
import { isFullMatrix } from '../matrix.ts'
import { DEMO, DemoProcess } from './demo-process.ts'

const TIMEOUT_MILLIS = 400_000

// In one file, and so one after the other: the demo generates its Prisma client anew.
const describePooler = await describeWithPgBouncer()
describePooler('the demo', () => {
  test('shows failures without poolguard and none with it', { timeout: TIMEOUT_MILLIS }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [DEMO, '--json'])
    const { direct, pooler } = JSON.parse(stdout)
    expect(direct.unguarded.sqlstates['53300']).toBeGreaterThan(0)
    expect(direct.unguarded.failed).toBe(direct.unguarded.sqlstates['53300'])
    expect(direct.guarded).toMatchObject({ requests: direct.unguarded.requests, failed: 0, sqlstates: {} })
    // 14 to share, and newcomers come in through the headroom of 3.
    expect(direct.guarded.peakConnections).toBeLessThanOrEqual(17)
    expect(pooler).toMatchObject({ detected: 'transaction', preparedStatements: 'safe', guarded: { failed: 0 } })
    expect(pooler.guarded.peakConnections).toBeLessThanOrEqual(10)
  })

  test('leaves no process and no folder behind when it is interrupted', { timeout: TIMEOUT_MILLIS }, async () => {
    await using demo = await DemoProcess.start(['--json'])
    await waitUntil(() => demo.progress.includes('PostgreSQL 18'), { what: 'the demo to have its server' })
    expect(await demo.hasFiles()).toBe(true)
    expect(await demo.interrupt()).toBe(130)
    await demo.leavesNothing()
  })
})

type Pools = PageDocument['pools']['entries']

describe.skipIf(!hasSignals)('the demo with --watch', () => {
  // Takes a minute: most of it waits for processes to come and go.
  test.runIf(isFullMatrix)(
    'shows the shares of processes that come and go until Ctrl-C',
    { timeout: TIMEOUT_MILLIS },
    async () => {
      await using demo = await DemoProcess.start(['--watch', '--json'])
      const { address } = JSON.parse(await demo.firstLine())
      const seen = new Set<string>()
      const waitForPools = async (what: string, isEnough: (pools: Pools) => boolean) => {
        const read = async () => {
          const { entries } = (await readPage(address)).pools
          for (const { name } of entries) seen.add(name)
          return isEnough(entries)
        }
        await waitUntil(read, { what, everyMillis: 500, deadlineMillis: 120_000 })
      }
      const hasShare = ({ fleet }: Pools[number]) => fleet !== null && fleet.maxConnections > 0
      await waitForPools('two instances with shares', (pools) => pools.filter(hasShare).length >= 2)
      await waitForPools('one more instance', () => seen.size >= 3)
      await waitForPools('an instance that has gone', (pools) => pools.length < seen.size)
      expect(demo.progress).not.toMatch(/error/i)
      expect(await demo.interrupt()).toBe(0)
      await demo.leavesNothing()
    },
  )

  test('leaves nothing behind at SIGTERM', { timeout: TIMEOUT_MILLIS }, async () => {
    await using demo = await DemoProcess.start(['--watch'])
    expect(await demo.firstLine()).toContain('http://127.0.0.1:')
    expect(await demo.hasFiles()).toBe(true)
    expect(await demo.terminate()).toBe(0)
    await demo.leavesNothing()
  })
})

/** The figures of the page, with the token of its address. */
async function readPage(address: string): Promise<PageDocument> {
  const url = new URL(address)
  const authorization = `Bearer ${url.hash.replace('#token=', '')}`
  const response = await fetch(`${url.origin}${url.pathname}?get=data`, { headers: { authorization } })
  return response.json() as Promise<PageDocument>
}
