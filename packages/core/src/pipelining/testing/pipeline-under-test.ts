import type { PoolSettings } from '../../pool/index.ts'
import { runWithLabel } from '../../pool/index.ts'
import type { FakeResource } from '../../pool/testing/fake-factory.ts'
import { givenPool, type PoolUnderTest } from '../../pool/testing/pool-under-test.ts'
import { Pipeline } from '../pipeline.ts'
import { SharedStatement } from '../shared-statement.ts'
import type { Stall } from '../stall-watch.ts'
import { StatementProfile } from '../statement-profile.ts'

export const SHARE_WITHIN_MILLIS = 10

/** A pipeline over a pool of fake connections, each of which answers in order when the test says so. */
export interface PipelineUnderTest extends PoolUnderTest {
  readonly pipeline: Pipeline<FakeResource>
  readonly statements: readonly TestStatement[]
  readonly stalls: readonly Stall[]
  /** The demand before each statement that was sent behind others. */
  readonly demandsSeen: readonly number[]
  /** Statements whose caller has no outcome yet. */
  readonly unsettled: number
  /** Teaches the service time of a text. */
  teach(text: string, millis: number): void
  run(text: string, signal?: AbortSignal): TestStatement
  runUnderLabel(label: string, text: string): TestStatement
  /** Does something to the head, or the connection, of the connection that `pick` selects. */
  act(what: 'answer' | 'fail' | 'break' | 'abandon' | 'lose', pick: number): void
}

export class TestStatement extends SharedStatement<FakeResource> {
  connection: FakeResource | undefined
  isBehind: boolean | undefined
  error: unknown
  settledTimes = 0
  /** All statements sent on its connection, in order. */
  others: TestStatement[] = []
  readonly #world: World

  constructor(request: ConstructorParameters<typeof SharedStatement>[0], world: World, signal?: AbortSignal) {
    super(request, signal)
    this.#world = world
  }

  suits(): boolean {
    return true
  }

  send(connection: FakeResource, isBehind: boolean): void {
    this.connection = connection
    this.isBehind = isBehind
    const line = this.#world.lines.get(connection) ?? []
    if (line.length > 0 !== isBehind) throw new Error('the pipeline does not know what is in flight')
    this.#world.lines.set(connection, line)
    line.push(this)
    this.others = [...line]
    for (const each of line) each.others = this.others
  }

  reject(error: unknown): void {
    this.error = error
    this.settledTimes++
  }

  answer(): void {
    this.#finish(false, undefined)
  }

  fail(broken: Error | undefined): void {
    this.#finish(true, broken)
  }

  #finish(failed: boolean, broken: Error | undefined): void {
    const line = this.connection && this.#world.lines.get(this.connection)
    line?.splice(line.indexOf(this), 1)
    if (!this.isAbandoned) this.settledTimes++
    this.#world.pipeline.finish(this, failed, broken)
  }
}

interface World {
  readonly pipeline: Pipeline<FakeResource>
  readonly lines: Map<FakeResource, TestStatement[]>
}

export function givenPipeline(settings: Partial<PoolSettings> = {}): PipelineUnderTest {
  const given = givenPool({ validateAfterIdleMillis: Infinity, ...settings })
  const profiles = new Map<string, StatementProfile>()
  const statements: TestStatement[] = []
  const stalls: Stall[] = []
  const lines = new Map<FakeResource, TestStatement[]>()
  const demandsSeen: number[] = []
  const pipeline: Pipeline<FakeResource> = new Pipeline({
    engine: given.pool,
    lane: undefined,
    clock: given.clock,
    acquire: (options) => given.pool.acquire(options),
    shareWithinMillis: SHARE_WITHIN_MILLIS,
    onOpen: () => {},
    onBehind: () => demandsSeen.push(given.pool.demand + pipeline.behind),
    onClose: (lease, broken) => (broken ? lease.destroy() : lease.release()),
    onStall: (stall) => stalls.push(stall),
  })
  const profileOf = (text: string) => {
    const profile = profiles.get(text) ?? new StatementProfile(text)
    profiles.set(text, profile)
    return profile
  }
  const run = (text: string, signal?: AbortSignal): TestStatement => {
    const statement = new TestStatement(pipeline.request(profileOf(text), 100, run), { pipeline, lines }, signal)
    statements.push(statement)
    pipeline.run(statement)
    return statement
  }
  return {
    ...given,
    pipeline,
    statements,
    stalls,
    demandsSeen,
    get unsettled() {
      return statements.filter(({ settledTimes }) => settledTimes === 0).length
    },
    teach(text, millis) {
      for (let times = 0; times < 20; times++) profileOf(text).service.record(millis, true, 1_000)
    },
    run,
    runUnderLabel: (label, text) => runWithLabel(label, () => run(text)),
    act(what, pick) {
      const busy = [...lines].filter(([, line]) => line.length > 0)
      const [connection, line] = busy[pick % Math.max(1, busy.length)] ?? []
      const head = line?.[0]
      if (!connection || !line || !head) return
      if (what === 'answer') head.answer()
      else if (what === 'fail') head.fail(undefined)
      else if (what === 'break') head.fail(new Error('in doubt'))
      else if (what === 'abandon') {
        const abandoned = line[pick % line.length] as TestStatement
        if (!abandoned.isAbandoned) abandoned.settledTimes++
        pipeline.abandon(abandoned)
      } else {
        given.factory.opening(connection.id).lost()
        for (const each of [...line]) each.fail(undefined)
      }
    },
  }
}
