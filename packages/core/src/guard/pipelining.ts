import { systemClock } from '../clock.ts'
import type { PipeliningState } from '../observe/index.ts'
import {
  Pipeline,
  type PipelineStats,
  type SharedRequest,
  type SharedStatement,
  type Stall,
  StatementProfile,
} from '../pipelining/index.ts'
import {
  type AcquireOptions,
  type BorrowerTraces,
  currentScope,
  type Lease,
  type Pool,
  type PoolEvent,
} from '../pool/index.ts'
import type { ResolvedSettings } from '../settings/index.ts'
import { RecentKeys, shareObstacle, showStatement } from '../statements/index.ts'

/** Texts whose service time is remembered, as many as automatic preparing remembers. */
const MAX_TEXTS = 2_000
const MAX_TEXT = 10_000
/** After this many statements that found a connection, the pool counts as not contended. */
const CALM_STATEMENTS = 256

/** The parts of a driver's pool that pipelining needs. */
export interface PipelineHooks<C> {
  /** Called when a connection is lent to the first of the statements that share it. */
  onOpen(connection: C): void
  /** Called when the last one has been answered. Releases the lease, or destroys it if `broken`. */
  onClose(lease: Lease<C>, broken: Error | undefined): void
}

export interface PipeliningOptions<C> {
  readonly engine: Pool<C>
  readonly acquire: (options: AcquireOptions) => Promise<Lease<C>>
  readonly settings: ResolvedSettings
  /** Called in the caller's own context before a statement is sent behind others that has not acquired a connection. */
  readonly onBehind: () => void
  readonly onStall: (stall: Stall) => void
}

/** What a statement's caller tells about itself. */
export interface CallerOptions {
  /** Its stacks, if they were captured before. */
  readonly traces?: BorrowerTraces | undefined
  /** Its lane. Default: that of the current call. */
  readonly lane?: string | undefined
}

/** Decides which statements of a guarded pool may share connections, and runs them. */
export class Pipelining<C extends object> {
  #active = false
  /** Statements until the pool counts as not contended. */
  #contended = 0
  readonly #options: PipeliningOptions<C>
  readonly #profiles = new RecentKeys<string, StatementProfile | string>(MAX_TEXTS)
  #settings: ResolvedSettings
  /** Undefined for a driver that cannot pipeline. */
  #makePipeline: ((lane: string | undefined) => Pipeline<C>) | undefined
  /** By lane: connections are shared within a lane only. */
  readonly #pipelines = new Map<string | undefined, Pipeline<C>>()

  constructor(options: PipeliningOptions<C>) {
    this.#options = options
    this.#settings = options.settings
  }

  /** A driver that can pipeline calls this once. */
  attach(hooks: PipelineHooks<C>): void {
    const { settings: _, ...options } = this.#options
    const { shareWithinMillis } = this.#settings.values
    this.#makePipeline = (lane) =>
      new Pipeline<C>({ ...options, ...hooks, lane, clock: systemClock, shareWithinMillis })
  }

  /** The server or pooler has been detected. */
  update(settings: ResolvedSettings): void {
    this.#settings = settings
    this.#active = this.#makePipeline !== undefined && settings.values.pipeline !== 'off'
  }

  /**
   * Whether the next statement may share a connection. Call it once for each statement, before anything else: in a pool that has enough
   * connections, a statement is then sent as without pipelining.
   */
  mayShare(lane?: string): boolean {
    if (!this.#active) return false
    const { engine } = this.#options
    if (engine.isExhausted(lane ?? engine.currentLane)) this.#contended = CALM_STATEMENTS
    else if (this.#contended > 0) this.#contended--
    return this.#contended > 0
  }

  /** Statements that wait for an answer behind others. */
  get behind(): number {
    let behind = 0
    for (const pipeline of this.#pipelines.values()) behind += pipeline.behind
    return behind
  }

  get state(): PipeliningState | undefined {
    if (!this.#makePipeline) return undefined
    const { values, reasons } = this.#settings
    return { mode: values.pipeline, active: this.#active, reason: reasons.pipeline, ...this.#stats }
  }

  get #stats(): PipelineStats {
    const all = [...this.#pipelines.values()].map(({ stats }) => stats)
    return {
      sentBehind: all.reduce((sum, { sentBehind }) => sum + sentBehind, 0),
      inFlight: all.reduce((sum, { inFlight }) => sum + inFlight, 0),
      maxDepth: Math.max(0, ...all.map(({ maxDepth }) => maxDepth)),
      stalls: all.reduce((sum, { stalls }) => sum + stalls, 0),
    }
  }

  /**
   * Undefined if the statement needs a connection of its own. Call it in the caller's own stack, of which the frames above `below` count.
   *
   * @param bytes the approximate size of the request.
   */
  request(
    text: string,
    bytes: number,
    below: (...args: never[]) => unknown,
    { traces, lane = this.#options.engine.currentLane }: CallerOptions = {},
  ): SharedRequest | undefined {
    // A caller that holds a lease could wait for a statement ahead of its own that waits for a lock of that caller.
    if (!this.#makePipeline || text.length > MAX_TEXT || currentScope() !== undefined) return undefined
    if (!this.#options.engine.hasLane(lane)) return undefined
    const profile = this.#profileOf(text)
    return typeof profile === 'string' ? undefined : this.#pipelineOf(lane)?.request(profile, bytes, below, traces)
  }

  run(statement: SharedStatement<C>): void {
    this.#pipelineOf(statement.lane)?.run(statement)
  }

  /**
   * A statement was answered, or its connection is lost. Call it once for each statement that was sent, before its caller learns the outcome.
   *
   * @param broken the error that leaves the connection in doubt: it accepts no more, and is closed once it is empty.
   */
  finish(statement: SharedStatement<C>, failed: boolean, broken?: Error): void {
    this.#pipelineOf(statement.lane)?.finish(statement, failed, broken)
  }

  /** A statement's caller has got an error, although the server has not answered. The other statements are not disturbed. */
  abandon(statement: SharedStatement<C>): void {
    this.#pipelineOf(statement.lane)?.abandon(statement)
  }

  /** Keeps further statements off the connection of a statement. Returns true if it is alone there, and may be cancelled. */
  isolate(statement: SharedStatement<C>): boolean {
    return this.#pipelineOf(statement.lane)?.isolate(statement) ?? false
  }

  #pipelineOf(lane: string | undefined): Pipeline<C> | undefined {
    const known = this.#pipelines.get(lane)
    if (known || !this.#makePipeline) return known
    const made = this.#makePipeline(lane)
    this.#pipelines.set(lane, made)
    return made
  }

  /** The profile, or the reason why the text may not share. */
  #profileOf(text: string): StatementProfile | string {
    const known = this.#profiles.get(text)
    if (known !== undefined) return known
    const { pipeline } = this.#settings.values
    const obstacle = pipeline === 'off' ? 'pipelining is off' : shareObstacle(text, pipeline)
    const profile = obstacle ?? new StatementProfile(text)
    this.#profiles.add(text, profile)
    return profile
  }
}

/** The event of a stalled head. */
export function stallEvent({ statement, behind, runningMillis, depth }: Stall): PoolEvent {
  return {
    type: 'pipeline-stall',
    statement: showStatement(statement),
    behind: showStatement(behind),
    runningMillis,
    depth,
  }
}

/** The message of the first stalled head. */
export function describeStall({ statement, behind, runningMillis, depth }: Stall): string {
  return (
    `A statement has been running for ${Math.round(runningMillis)} ms while ${depth - 1} ${depth === 2 ? 'statement waits' : 'statements wait'} behind it on the same connection (pool.pipeline). ` +
    `Running: ${showStatement(statement)}. Directly behind it: ${showStatement(behind)}. ` +
    "It may wait for a lock: run select pid, wait_event_type, pg_blocking_pids(pid) from pg_stat_activity where state = 'active'. If the holder of the lock waits for the statement behind, both " +
    "wait until a timeout (statement_timeout, lock_timeout): run the statement behind on a client from connect(), or set pool.pipeline: 'off'. snapshot().pipelining.stalls counts later cases, and onEvent is called for each."
  )
}
