import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'

const QUERIES = 10_000
/** Where some fail: pg-pool opens a connection anew after each error, which takes a hundred times as long. */
const QUERIES_WITH_ERRORS = 1_000
const CONNECTIONS = 10

/** A GuardedPool and a pg.Pool on the same server. */
export function listPools(url: string, max: number = CONNECTIONS) {
  const ours = new GuardedPool({ url, max })
  const theirs = new pg.Pool({ connectionString: url, max })
  // Its end() does not wait for clients on their way out, and one that the server's end overtakes would end the process.
  theirs.on('error', () => {})
  return {
    ours,
    pairOf: (measure: (pool: pg.Pool) => Promise<number>) => ({
      ours: () => measure(ours),
      theirs: () => measure(theirs),
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all([ours.end(), theirs.end()])
    },
  }
}

export interface QueryLoad {
  readonly concurrency: number
  /** 5: one in five is a statement with an error; 0: none. */
  readonly failEvery: number
}

export async function queriesPerSecond(pool: pg.Pool, { concurrency, failEvery }: QueryLoad): Promise<number> {
  const queries = failEvery > 0 ? QUERIES_WITH_ERRORS : QUERIES
  let sent = 0
  const line = async () => {
    while (sent < queries) {
      const number = sent++
      const fails = failEvery > 0 && number % failEvery === 0
      if (fails) await pool.query('select nothing').catch(expectSqlError)
      else await pool.query('select $1::int as n', [number])
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: concurrency }, line))
  return (queries / (performance.now() - began)) * 1_000
}

function expectSqlError(error: unknown): void {
  if (!(error instanceof pg.DatabaseError)) throw error
}
