import { describe, expect, test } from 'vitest'
import type { TrackedLease } from '../../pool/index.ts'
import { ManualClock } from '../../pool/testing/manual-clock.ts'
import { LostStatements } from './lost-statements.ts'

const CLUSTER = '7714069031747384386'
/** A primary. */
const RUN = `${CLUSTER} f 2026-12-01 02:00:00.000001`
const RESTARTED = `${CLUSTER} f 2026-12-01 03:00:00.000001`
const STANDBY = `${CLUSTER} t 2026-12-01 01:00:00.000001`
const OTHER_STANDBY = `${CLUSTER} t 2026-12-01 01:00:00.000002`
/** Another cluster. */
const OTHER_PRIMARY = '7714069031747384387 f 2026-12-01 03:00:00.000001'

interface Connection {
  readonly pid: number
  isUnread: boolean
}

/** A pool with one connection, on which a statement runs, and one for questions. */
class Scene {
  readonly clock = new ManualClock()
  readonly connection: Connection = { pid: 7, isUnread: false }
  /** What the server answers; undefined: nothing, ever. */
  answer: (() => string) | undefined = () => this.session({ isIdle: false })
  isDirect = true
  isLost = false
  /** What the server answers to the question for its run on the connection itself. */
  run: () => string = () => RUN
  asked = 0
  readonly askedForRun: string[] = []
  readonly brokenOff: Error[] = []
  readonly ended: string[] = []
  readonly returned: string[] = []
  readonly lease = { quietSince: 0, runningQuery: { key: 1, describe: () => null } } as TrackedLease<Connection>
  readonly lost: LostStatements<Connection>

  constructor() {
    const lent = { release: () => this.returned.push('released'), destroy: () => this.returned.push('destroyed') }
    this.lost = new LostStatements<Connection>({
      engine: {
        demand: 1,
        querying: [Object.assign(this.lease, { resource: this.connection })],
        acquire: async () => ({ ...lent, resource: { pid: 8, isUnread: false } }) as never,
      },
      driver: {
        awaiting: ({ pid, isUnread }) => ({ announcedPid: pid, isUnread }),
        peerOf: () => 'db:5432/app',
        isLost: () => this.isLost,
        breakOff: (_connection, error) => this.brokenOff.push(error),
        queryValue: async (_connection, text) => {
          if (!text.includes('pg_stat_activity')) {
            this.askedForRun.push(text)
            return this.run()
          }
          if (text.includes('pg_terminate_backend')) {
            this.ended.push(text)
            return '1'
          }
          this.asked++
          expect(text).toContain(`any ('{7}'`)
          return this.answer ? this.answer() : new Promise(() => {})
        },
      },
      isDirect: () => this.isDirect,
      clock: this.clock,
    })
  }

  async open(): Promise<void> {
    await this.lost.open(async () => {
      await this.lost.onOpened(this.connection)
      return this.connection
    })
  }

  /** An hour passes, unless the connection is given up before. */
  async wait(millis = 3_600_000): Promise<void> {
    await this.open()
    this.lost.watch()
    await this.clock.advance(millis)
    this.lost.stop()
  }

  /** The server's idle session with the pid of the connection. */
  idleSession(ageMillis: () => number = () => this.clock.now()): void {
    this.answer = () => this.session({ ageMillis: ageMillis() })
  }

  session({ ageMillis = this.clock.now(), isIdle = true, run = RUN } = {}): string {
    return `${run};7|${ageMillis / 1_000}|${isIdle ? 't' : 'f'}`
  }
}

describe('a connection without an answer is given up', () => {
  test('if the server is idle twice, and its session is ended', async () => {
    const scene = new Scene()
    scene.idleSession()
    await scene.wait(11_000)
    expect(scene.brokenOff).toMatchObject([
      { code: 'ETIMEDOUT', message: expect.stringContaining('no answer for 10 s') },
    ])
    expect(scene.ended).toEqual([expect.stringContaining(`any ('{7}'`)])
  })

  test.each([
    ['no session', `${RUN};`],
    ['a later session with its pid', `${RUN};7|0.1|t`],
  ])('if its server has %s: nothing is left to end', async (_what, answer) => {
    const scene = new Scene()
    scene.answer = () => answer
    await scene.wait(11_000)
    expect(scene.brokenOff).toMatchObject([
      { code: 'ETIMEDOUT', message: expect.stringContaining('the server runs no statement on this connection') },
    ])
    expect(scene.ended).toEqual([])
  })

  test('if its server has taken part in a question before, and has no session of it any more', async () => {
    const scene = new Scene()
    scene.run = () => 'something else'
    scene.answer = () => (scene.asked === 1 ? scene.session({ isIdle: false }) : `${RUN};`)
    await scene.wait(30_000)
    expect(scene.brokenOff[0]).toMatchObject({ code: 'ETIMEDOUT' })
  })

  test('if another primary of the cluster answers instead of its own', async () => {
    const scene = new Scene()
    scene.answer = () => `${RESTARTED};`
    await scene.wait(11_000)
    expect(scene.brokenOff).toMatchObject([
      { code: 'ETIMEDOUT', message: expect.stringContaining('was restarted or replaced') },
    ])
    expect(scene.ended).toEqual([])
  })

  test('if its server may not tell the cluster, but has no session of it', async () => {
    const scene = new Scene()
    const run = RUN.replace(CLUSTER, '')
    scene.run = () => {
      if (scene.askedForRun.length === 1) throw Object.assign(new Error('permission denied'), { code: '42501' })
      return run
    }
    scene.answer = () => `${run};`
    await scene.wait(11_000)
    expect(scene.askedForRun).toEqual([
      expect.stringContaining('pg_control_system'),
      expect.not.stringContaining('pg_control_system'),
    ])
    expect(scene.brokenOff).toMatchObject([{ code: 'ETIMEDOUT' }])
  })
})

describe('it is kept', () => {
  test('if the server runs its statement; the pauses between the questions grow', async () => {
    const scene = new Scene()
    await scene.wait()
    expect(scene.brokenOff).toEqual([])
    expect(scene.asked).toBeGreaterThan(55)
    expect(scene.asked).toBeLessThan(70)
  })

  test('if the server begins with the statement after the first question', async () => {
    const scene = new Scene()
    scene.answer = () => scene.session({ isIdle: scene.asked === 1 })
    await scene.wait()
    expect(scene.brokenOff).toEqual([])
  })

  test('if its server is not known, and a session with its pid is older or younger: it is the one of another server', async () => {
    for (const difference of [-3_000, 3_000]) {
      const scene = new Scene()
      scene.run = () => 'something else'
      scene.idleSession(() => scene.clock.now() + difference)
      await scene.wait()
      expect(scene.brokenOff).toEqual([])
    }
  })

  test.each([
    ['another primary', RUN, OTHER_PRIMARY],
    ['another standby', STANDBY, OTHER_STANDBY],
    ['a standby of the primary', RUN, STANDBY],
    ['the primary of the standby', STANDBY, RUN],
    ['a server that does not tell its cluster', RUN.replace(CLUSTER, ''), RESTARTED.replace(CLUSTER, '')],
  ])('if %s behind the same address answers, which has no session of it', async (_what, run, other) => {
    const scene = new Scene()
    scene.run = () => run
    scene.answer = () => `${other};`
    await scene.wait()
    expect(scene.brokenOff).toEqual([])
  })

  test.each([
    ['gives no valid answer to the question for its run', () => 'something else'],
    [
      'has rejected the question for its run',
      () => {
        throw Object.assign(new Error('no such function'), { code: '42883' })
      },
    ],
    [
      'has cancelled the question for its run',
      () => {
        throw Object.assign(new Error('canceling statement'), { code: '57014' })
      },
    ],
  ])('if its server %s: one without a session of it may be another one', async (_what, run) => {
    const scene = new Scene()
    scene.run = run
    scene.answer = () => `${RUN};`
    await scene.wait()
    expect(scene.brokenOff).toEqual([])
  })

  test('if the answer lies unread in the socket', async () => {
    const scene = new Scene()
    scene.idleSession()
    scene.connection.isUnread = true
    await scene.wait()
    expect(scene.asked).toBe(0)
  })

  test('if the server does not answer the question, and the connection for it is closed', async () => {
    const scene = new Scene()
    scene.answer = undefined
    await scene.wait(60_000)
    expect(scene.brokenOff).toEqual([])
    expect(new Set(scene.returned)).toEqual(new Set(['destroyed']))
  })

  test('behind a pooler, which invents pids', async () => {
    const scene = new Scene()
    scene.idleSession()
    scene.isDirect = false
    await scene.wait()
    expect(scene.asked).toBe(0)
  })
})

test('a connection that is lost while the pool asks for its server is not opened', async () => {
  const scene = new Scene()
  scene.run = () => {
    scene.isLost = true
    throw Object.assign(new Error('terminated'), { code: '57P01' })
  }
  await expect(scene.open()).rejects.toThrow('terminated')
})

test('what the server has rejected is not asked again for the next connections', async () => {
  const scene = new Scene()
  scene.run = () => {
    throw Object.assign(new Error('no such function'), { code: '42883' })
  }
  await scene.open()
  await scene.open()
  expect(scene.askedForRun).toHaveLength(2)
})

test('a connection whose server is known is not asked again', async () => {
  const scene = new Scene()
  await scene.open()
  await scene.lost.onOpened(scene.connection)
  expect(scene.askedForRun).toHaveLength(1)
})
