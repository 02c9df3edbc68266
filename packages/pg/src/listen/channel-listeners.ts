import { InvalidOptionError } from '@poolguard/core'
import { type Lease, type PoolGuard, pause, runDetached, systemClock, withTimeout } from '@poolguard/core/adapter'
import type { Notification } from 'pg'
import { callApp } from '../call-app.ts'
import type { PgConnection } from '../connection/pg-connection.ts'

/** A quiet connection is checked this often: a firewall may have forgotten it, and nothing else would notice. */
const CHECK_MILLIS = 30_000
const CHECK_TIMEOUT_MILLIS = 5_000
/** Pauses between attempts to listen again; the connection attempts have their own. */
const RETRY_MILLIS = [100, 1_000, 5_000]

/** The time in which a channel was not listened to: notifications of that time are lost. */
export interface ListenGap {
  readonly channel: string
  readonly missedMillis: number
}

/** Options of `GuardedPool.listen`. */
export interface ListenOptions {
  /** Called when the pool listens again after its connection was lost. Read what the notifications announce from the database then. */
  readonly onReconnect?: ((gap: ListenGap) => void) | undefined
}

/** One subscription to a channel. */
export interface Listener extends AsyncDisposable {
  readonly channel: string
  /** Ends the subscription; the last one of a pool releases the connection. */
  close(): Promise<void>
}

interface Subscription extends ListenOptions {
  readonly channel: string
  readonly onNotification: (payload: string, notification: Notification) => void
}

/**
 * Subscribes any number of listeners on one connection of the pool, which no caller gets meanwhile. It counts
 * towards `max`, but neither as a leak nor in the times of leases.
 */
export class ChannelListeners {
  readonly #guard: PoolGuard<PgConnection>
  readonly #subscriptions = new Set<Subscription>()
  #lease: Lease<PgConnection> | undefined
  /** One change of the connection at a time. */
  #changes: Promise<unknown> = Promise.resolve()
  #stopCheck: (() => void) | undefined
  #lostAt: number | undefined
  #ended = false

  constructor(guard: PoolGuard<PgConnection>) {
    this.#guard = guard
    guard.onClosing = () => this.#end()
  }

  /** See `GuardedPool.listen`. */
  async listen(
    channel: string,
    onNotification: Subscription['onNotification'],
    options: ListenOptions = {},
  ): Promise<Listener> {
    validateChannel(channel)
    await this.#guard.ready()
    const rejection = this.#guard.connections?.sessions.checkSession('LISTEN channel')
    if (rejection) throw rejection
    const subscription = { ...options, channel, onNotification }
    this.#subscriptions.add(subscription)
    try {
      await this.#change(() => this.#subscribe(channel))
    } catch (error) {
      await this.#unsubscribe(subscription)
      throw error
    }
    const close = () => this.#unsubscribe(subscription)
    return { channel, close, [Symbol.asyncDispose]: close }
  }

  /** The pool is being closed. */
  #end(): void {
    this.#ended = true
    this.#subscriptions.clear()
    this.#release()
  }

  /** Runs one change after the other. */
  #change<T>(make: () => Promise<T>): Promise<T> {
    const change = this.#changes.then(make)
    this.#changes = change.catch(() => {})
    return change
  }

  async #subscribe(channel: string): Promise<void> {
    if (!this.#lease?.active) await this.#open()
    await this.#lease?.resource.askRow(`LISTEN ${quote(channel)}`)
  }

  async #unsubscribe(subscription: Subscription): Promise<void> {
    if (!this.#subscriptions.delete(subscription)) return
    const { channel } = subscription
    await this.#change(async () => {
      if (this.#subscriptions.size === 0) this.#release()
      else if (!this.#channels().has(channel)) await this.#lease?.resource.askRow(`UNLISTEN ${quote(channel)}`)
    }).catch(() => {})
  }

  #channels(): Set<string> {
    return new Set(Array.from(this.#subscriptions, ({ channel }) => channel))
  }

  /** Detached, because the connection outlives the request that listens first. */
  async #open(): Promise<void> {
    const lease = await runDetached(() => this.#guard.engine.acquire({ internal: 'queued' }))
    if (this.#ended) {
      lease.release()
      return
    }
    const { client } = lease.resource
    const deliver = (notification: Notification) => this.#deliver(notification)
    client.on('notification', deliver)
    client.once('end', () => this.#onLost(lease))
    this.#lease = lease
    this.#scheduleCheck(lease)
  }

  /** The session still listens, so the connection is closed. */
  #release(): void {
    const lease = this.#lease
    this.#lease = undefined
    this.#lostAt = undefined
    this.#stopCheck?.()
    lease?.destroy()
  }

  #onLost(lease: Lease<PgConnection>): void {
    if (this.#lease !== lease) return
    this.#lease = undefined
    this.#stopCheck?.()
    // Otherwise the replacement was lost, too.
    if (this.#lostAt !== undefined) return
    this.#lostAt = performance.now()
    void this.#listenAgain(this.#lostAt)
  }

  /** Until it succeeds, or the last subscription ends. */
  async #listenAgain(lostAt: number): Promise<void> {
    for (let attempt = 0; this.#lostAt === lostAt; attempt++) {
      try {
        await this.#change(() => this.#listenToAll())
        if (this.#lostAt === lostAt && this.#lease?.active) this.#reportGap(lostAt)
      } catch {
        await pause(RETRY_MILLIS[Math.min(attempt, RETRY_MILLIS.length - 1)] ?? 0)
      }
    }
  }

  #reportGap(lostAt: number): void {
    this.#lostAt = undefined
    const missedMillis = performance.now() - lostAt
    for (const { channel, onReconnect } of [...this.#subscriptions])
      callApp(() => onReconnect?.({ channel, missedMillis }))
  }

  async #listenToAll(): Promise<void> {
    if (this.#subscriptions.size === 0) return
    if (!this.#lease?.active) await this.#open()
    const texts = Array.from(this.#channels(), (channel) => `LISTEN ${quote(channel)}`)
    await this.#lease?.resource.askRow(texts.join('; '))
  }

  #deliver(notification: Notification): void {
    const { channel, payload = '' } = notification
    for (const subscription of [...this.#subscriptions])
      if (subscription.channel === channel) callApp(() => subscription.onNotification(payload, notification))
  }

  #scheduleCheck(lease: Lease<PgConnection>): void {
    this.#stopCheck = systemClock.after(CHECK_MILLIS, () => void this.#check(lease), { background: true })
  }

  async #check(lease: Lease<PgConnection>): Promise<void> {
    const late = () => new Error('the server does not answer')
    const answer = withTimeout(lease.resource.askRow('select 1'), CHECK_TIMEOUT_MILLIS, late, { background: true })
    const answered = await answer.then(
      () => true,
      () => false,
    )
    if (this.#lease !== lease) return
    if (answered) this.#scheduleCheck(lease)
    // Its `end` event follows.
    else lease.resource.client.connection.stream.destroy()
  }
}

/** The server cuts longer names off, so that no notification would have the name of the listener. */
const MAX_CHANNEL_BYTES = 63

function validateChannel(channel: string): void {
  const bytes = Buffer.byteLength(channel)
  if (bytes > 0 && bytes <= MAX_CHANNEL_BYTES && !channel.includes('\0')) return
  throw new InvalidOptionError('channel', channel, `a name of 1 to ${MAX_CHANNEL_BYTES} bytes`)
}

function quote(channel: string): string {
  return `"${channel.replaceAll('"', '""')}"`
}
