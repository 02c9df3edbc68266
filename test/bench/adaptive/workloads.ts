import type pg from 'pg'

/** What the callers of a benchmark do with a connection. */
export interface Workload {
  /** Kinds of work that take very different times, by how often they come. The shares add up to 1. */
  readonly kinds: readonly WorkKind[]
}

export interface WorkKind {
  readonly share: number
  run(client: pg.Client): Promise<unknown>
}

const ACCOUNTS = 200_000
const BRANCHES = 50
const TELLERS_EACH = 10
const HOT_ROWS = 6

/** A statement that is prepared once on each connection, so that the server runs it instead of planning it. */
function prepared(name: string, text: string): (client: pg.Client, values: readonly unknown[]) => Promise<unknown> {
  return (client, values) => client.query({ name, text, values: [...values], rowMode: 'array' } as pg.QueryArrayConfig)
}

const readByKey = prepared('read_by_key', 'select balance from accounts where id = $1')
const readRange = prepared(
  'read_range',
  'select count(*), sum(balance) from accounts where id between $1::int and $1::int + 999',
)
const report = prepared(
  'report',
  'select id % 100, count(*), avg(balance) from accounts where id between $1::int and $1::int + 49999 group by 1 order by 2, 1',
)
/** It waits as for a disk, without a load on the processors. */
const waitAndRead = prepared('wait_and_read', 'select balance, pg_sleep(0.008) from accounts where id = $1')
/** TPC-B in one statement: the row of the branch stays locked until the commit is on the disk. */
const transfer = prepared(
  'transfer',
  `with a as (update accounts set balance = balance + $1 where id = $2 returning balance),
        t as (update tellers set balance = balance + $1 where id = $3),
        b as (update branches set balance = balance + $1 where id = $4)
   insert into history (teller, branch, account, delta, at) values ($3, $4, $2, $1, now())`,
)

/**
 * A transfer as a text of its own, for processes that know nothing of the schema. All transfers are within one branch. Each part needs the
 * one before, so that every transfer locks account, teller and branch in this order, whatever the planner chooses, and nothing deadlocks.
 */
export const TRANSFER_AT_RANDOM = `
  with a as (update accounts set balance = balance + 1 where id = (select 1 + floor(random() * ${ACCOUNTS - 1})::int) returning id),
       t as (update tellers set balance = balance + 1 where id = (select 1 + floor(random() * ${TELLERS_EACH - 1})::int from a) returning id),
       b as (update branches set balance = balance + 1 where id = (select 1 from t) returning id)
  insert into history (teller, branch, account, delta, at) select t.id, b.id, a.id, 1, now() from a, t, b`

const increment = prepared('increment', 'update hot set n = n + 1 where id = $1')

function transferIn(branches: number): (client: pg.Client) => Promise<unknown> {
  return (client) => {
    const branch = random(branches)
    const teller = (branch - 1) * TELLERS_EACH + random(TELLERS_EACH)
    return transfer(client, [random(5_000), random(ACCOUNTS), teller, branch])
  }
}

/** Five round trips; two of six rows are locked from their update on, in the same order everywhere, so that nothing deadlocks. */
async function updateHotRows(client: pg.Client): Promise<void> {
  const first = random(HOT_ROWS - 1)
  const second = first + random(HOT_ROWS - first)
  await client.query('begin')
  await increment(client, [first])
  await readByKey(client, [random(ACCOUNTS)])
  await increment(client, [second])
  await client.query('commit')
}

function only(run: WorkKind['run']): Workload {
  return { kinds: [{ share: 1, run }] }
}

/** In an order in which the best number of connections changes by much from each to the next. */
export const WORKLOADS: Readonly<Record<string, Workload>> = {
  reads_by_key: only((client) => readByKey(client, [random(ACCOUNTS)])),
  io_bound: only((client) => waitAndRead(client, [random(ACCOUNTS)])),
  contended_writes: only(transferIn(1)),
  range_reads: only((client) => readRange(client, [random(ACCOUNTS - 1_000)])),
  hot_rows: only(updateHotRows),
  writes: only(transferIn(BRANCHES)),
  mix_with_reports: {
    kinds: [
      { share: 0.97, run: (client) => readByKey(client, [random(ACCOUNTS)]) },
      { share: 0.03, run: (client) => report(client, [random(ACCOUNTS - 50_000)]) },
    ],
  },
}

export const SCHEMA = `
  create table branches (id int primary key, balance int not null, filler char(88)) with (fillfactor = 50);
  create table tellers (id int primary key, balance int not null, filler char(84)) with (fillfactor = 50);
  create table accounts (id int primary key, balance int not null, filler char(84)) with (fillfactor = 90);
  create table history (teller int, branch int, account int, delta int, at timestamptz);
  create table hot (id int primary key, n int not null) with (fillfactor = 20);
  insert into branches select n, 0, '' from generate_series(1, ${BRANCHES}) n;
  insert into tellers select n, 0, '' from generate_series(1, ${BRANCHES * TELLERS_EACH}) n;
  insert into accounts select n, 0, '' from generate_series(1, ${ACCOUNTS}) n;
  insert into hot select n, 0 from generate_series(1, ${HOT_ROWS}) n;
  analyze`

function random(most: number): number {
  return 1 + Math.floor(Math.random() * most)
}
