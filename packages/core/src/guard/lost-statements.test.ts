import { describe, expect, test } from 'vitest'
import type { TrackedLease } from '../pool/index.ts'
import { ManualClock } from '../pool/testing/manual-clock.ts'
import { LostStatements } from './lost-statements.ts'

const SERVER = '10.0.0.1 5432'
const NO_SESSION = `${SERVER};`

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
  asked = 0
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
        breakOff: (_connection, error) => this.brokenOff.push(error),
        queryValue: (_connection, text) => {
          if (text.includes('pg_terminate_backend')) {
            this.ended.push(text)
            return Promise.resolve('1')
          }
          this.asked++
          expect(text).toContain(`any ('{7}'`)
          return this.answer ? Promise.resolve(this.answer()) : new Promise(() => {})
        },
      },
      isDirect: () => this.isDirect,
      clock: this.clock,
    })
  }

  /** An hour passes, unless the connection is given up before. */
  async wait(millis = 3_600_000): Promise<void> {
    await this.lost.open(async () => this.connection)
    this.lost.watch()
    await this.clock.advance(millis)
    this.lost.stop()
  }

  /** The server's idle session with the pid of the connection. */
  idleSession(ageMillis: () => number = () => this.clock.now()): void {
    this.answer = () => this.session({ ageMillis: ageMillis() })
  }

  session({ ageMillis = this.clock.now(), isIdle = true, address = SERVER } = {}): string {
    return `${address};7|${ageMillis / 1_000}|${isIdle ? 't' : 'f'}`
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
    ['no session', NO_SESSION],
    ['a later session with its pid', `${SERVER};7|0.1|t`],
  ])('if the server was idle, and then has %s: nothing is left to end', async (_what, later) => {
    const scene = new Scene()
    scene.answer = () => (scene.asked === 1 ? scene.session() : later)
    await scene.wait(11_000)
    expect(scene.brokenOff).toMatchObject([{ code: 'ETIMEDOUT' }])
    expect(scene.ended).toEqual([])
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

  test('if a session with its pid is older or younger: it is the one of another server', async () => {
    for (const difference of [-3_000, 3_000]) {
      const scene = new Scene()
      scene.idleSession(() => scene.clock.now() + difference)
      await scene.wait()
      expect(scene.brokenOff).toEqual([])
    }
  })

  test.each([
    ['the server', SERVER],
    ['another server behind the same address, after the server was idle,', '10.0.0.2 5432'],
  ])('if %s has no session with its pid: it may be one of another server', async (_what, address) => {
    const scene = new Scene()
    scene.answer = () => (scene.asked === 1 && address !== SERVER ? scene.session() : `${address};`)
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
