import { setTimeout as pause } from 'node:timers/promises'
import type { Topology } from '@poolguard/core'
import { type ConnectionString, normalizeTarget } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import { attributePoolerClients } from '../sessions/attribute-pooler-clients.ts'
import { type PoolerFacts, readPoolerFacts, requirePoolerFacts } from './read-pooler-facts.ts'
import { type ReadOptions, readServerFacts } from './read-server-facts.ts'
import type { ServerFacts, Unreached } from './server-facts.ts'

export interface LookInput {
  readonly url: ConnectionString
  /** Bypasses the pooler. */
  readonly direct: ConnectionString | undefined
  /** PgBouncer's console, from --pooler-url. Default: the console at `url`, if its user may read it. */
  readonly consoleUrl: ConnectionString | undefined
  readonly read?: Omit<ReadOptions, 'signal'>
  /** Called with the problem if the console's answer is invalid. */
  readonly onInvalid: (problem: string) => void
}

/** The server and the pooler in front of it, as far as they can be read. */
export interface Look {
  readonly server: ServerFacts | undefined
  readonly unreached: Unreached | undefined
  readonly pooler: PoolerFacts | undefined
}

/** A database that answers sooner has no pooler that is worth asking first. */
const HEAD_START_MILLIS = 300
/** A client that waits this long for its first answer waits for a server connection. */
const PATIENCE_MILLIS = 1_000
const POLL_MILLIS = 200

/**
 * Reads the database and PgBouncer's console at the same time: the console answers even if PgBouncer has no server connection
 * for the app's user. Then it does not wait for the database any longer, and reads it through the direct URL, if there is one.
 *
 * @throws {CannotRunError} if `consoleUrl` is not a console that can be read.
 */
export async function lookAtDatabase(input: LookInput): Promise<Look> {
  const look = await lookAtBoth(input)
  const { server, pooler } = look
  if (!server || !pooler) return look
  return { ...look, server: { ...server, sessions: attributePoolerClients(server.sessions, pooler) } }
}

async function lookAtBoth(input: LookInput): Promise<Look> {
  const { url, direct, consoleUrl, onInvalid, read } = input
  const stop = new AbortController()
  const reading = readServerFacts(url, { ...read, signal: stop.signal })
  const watching = watchPooler(input, reading)
  try {
    const first = await Promise.race([reading, watching])
    if (first !== undefined && !('stuck' in first)) {
      const pooler = await currentPooler(first, consoleUrl, url, onInvalid)
      return 'failure' in first
        ? { server: undefined, unreached: first, pooler }
        : { server: first, unreached: undefined, pooler }
    }
    const pooler = first?.stuck
    const unreached: Unreached = {
      failure: 'unavailable',
      message: t`PgBouncer accepted the connection and gave it no server connection within ${PATIENCE_MILLIS / 1_000} s`,
    }
    stop.abort()
    const beside = direct && pooler ? await readServerFacts(direct, read) : undefined
    if (!beside || !pooler || 'failure' in beside) return { server: undefined, unreached, pooler }
    return { server: { ...beside, topology: behind(pooler, beside, url) }, unreached, pooler }
  } finally {
    stop.abort()
  }
}

/** Resolves when the console shows that the app's pool is stuck; undefined or never otherwise. */
async function watchPooler(
  { url, consoleUrl, onInvalid }: LookInput,
  reading: Promise<unknown>,
): Promise<{ readonly stuck: PoolerFacts } | undefined> {
  const began = performance.now()
  const never = new Promise<undefined>(() => {})
  const done = reading.then(() => true)
  // Asking PostgreSQL itself for a console would leave an error in its log.
  if (!consoleUrl && (await Promise.race([done, pause(HEAD_START_MILLIS)]))) return never
  for (;;) {
    const pooler = consoleUrl ? await requirePoolerFacts(consoleUrl) : await readPoolerFacts(url, onInvalid)
    if (!pooler) return never
    const waited = performance.now() - began
    if (waited >= PATIENCE_MILLIS && isStuck(pooler, url)) return { stuck: pooler }
    if (await Promise.race([done, pause(Math.max(POLL_MILLIS, PATIENCE_MILLIS - waited))])) return never
  }
}

/** Whether the client of this URL waits for a server connection. */
function isStuck({ pools, databases }: PoolerFacts, url: ConnectionString): boolean {
  const { user, database = user } = normalizeTarget(url)
  const halted = databases.some(({ name, paused, disabled }) => name === database && (paused || disabled))
  return halted || pools.some((pool) => pool.database === database && pool.user === user && pool.clientsWaiting > 0)
}

/** The console at this moment; for a server that is no pooler only if the user named a console. */
async function currentPooler(
  look: ServerFacts | Unreached,
  consoleUrl: ConnectionString | undefined,
  url: ConnectionString,
  onInvalid: (problem: string) => void,
): Promise<PoolerFacts | undefined> {
  if (consoleUrl) return await requirePoolerFacts(consoleUrl)
  const mayBePooler = 'failure' in look ? POOLER_TEXT.test(look.message) : look.topology.kind === 'pooler'
  return mayBePooler ? await readPoolerFacts(url, onInvalid) : undefined
}

/** Errors that only PgBouncer sends, and errors of the server that it forwards. */
const POOLER_TEXT =
  /max_client_conn|client connections exceeded|server_login_retry|server login|is disabled|database removed|query_wait_timeout|no such (?:database|user)|SASL authentication failed|Query read timeout/i

/** What the app's own URL leads to, from the console. */
function behind(pooler: PoolerFacts, server: ServerFacts, url: ConnectionString): Topology {
  const { user, database = user } = normalizeTarget(url)
  const mode = pooler.pools.find((pool) => pool.database === database && pool.user === user)?.poolMode
  const proven = mode === 'session' || mode === 'transaction' || mode === 'statement'
  const tracks = Number(pooler.config.get('max_prepared_statements')?.value ?? 0) > 0
  return {
    kind: 'pooler',
    server: server.topology.server,
    pooler: { name: 'PgBouncer', version: pooler.version, mode: proven ? mode : 'transaction', proven },
    preparedStatements: tracks || mode === 'session' ? 'safe' : 'unsafe',
    evidence: ["PgBouncer's console"],
  }
}
