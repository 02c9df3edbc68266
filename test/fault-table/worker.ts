/** An app on one of the stacks, in a process of its own: it writes and reads until the table stops it. */
import { setTimeout as pause } from 'node:timers/promises'
import { measure } from './measure.ts'
import { type Report, type Request, reportOf } from './messages.ts'
import { misuse } from './misuse.ts'
import { CALLERS } from './stack.ts'
import { RUNNABLE } from './stacks/index.ts'

/** How long callers, and the end of the pool, may take after the fault is over. */
const PATIENCE_MILLIS = 15_000
/** A retry after an error; without it a caller would spin. */
const BACKOFF_MILLIS = 20

const [name, url = '', firstId = '1'] = process.argv.slice(2)
const stack = RUNNABLE.find((each) => each.name === name)
if (!stack) throw new Error(`There is no stack ${name}`)

const tell = (report: Report) => process.send?.(report)
const app = await stack.open(url)
let stopping = false
let stopped: Promise<void> | undefined
let resumed = Promise.resolve()
let resume = () => {}
let nextId = Number(firstId)
/** Callers that are in a call of the stack. */
let working = 0

async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    tell({ type: 'failed', error: reportOf(error) })
    return false
  }
}

async function write(n: number): Promise<boolean> {
  const id = nextId++
  const rows = n % 2 === 0 ? 1 : 2
  const done = await attempt(() => (rows === 1 ? app.write(id) : app.writeTwice(id, () => pause(2))))
  if (done) tell({ type: 'committed', id, rows })
  return done
}

async function caller(): Promise<void> {
  for (let n = 0; !stopping; n++) {
    working++
    const done = n % 4 === 3 ? await attempt(() => app.read()) : await write(n)
    working--
    await pause(done ? 3 : BACKOFF_MILLIS)
    await resumed
  }
}

/** The most connections that could be borrowed at the same time. It tries until all can, or the time is over. */
async function countConnections(expected: number): Promise<number> {
  const end = performance.now() + PATIENCE_MILLIS
  let most = 0
  while (most < expected && performance.now() < end) most = Math.max(most, await openAtOnce(expected))
  return most
}

/** Opens this many transactions. Resolves to the most that were open at the same time. */
async function openAtOnce(wanted: number): Promise<number> {
  const { promise: allOpen, resolve } = Promise.withResolvers<void>()
  let [open, most] = [0, 0]
  const between = async () => {
    open++
    most = Math.max(most, open)
    if (open === wanted) resolve()
    await Promise.race([allOpen, pause(3_000, undefined, { ref: false })])
    open--
  }
  const all = Array.from({ length: wanted }, () => app.writeTwice(nextId++, between))
  await within(5_000, Promise.allSettled(all))
  return most
}

/** What the process holds while it does nothing. The callers must be paused. */
async function measureAtRest(): Promise<void> {
  const end = performance.now() + PATIENCE_MILLIS
  while (working > 0 && performance.now() < end) await pause(10)
  tell({ type: 'measured', hungCallers: working, held: await measure() })
}

/** @returns false if it takes longer. */
function within(millis: number, promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), pause(millis, false, { ref: false })])
}

/** A second call, after a signal for example, waits for the same end. */
function stop(): Promise<void> {
  stopped ??= stopNow()
  return stopped
}

async function stopNow(): Promise<void> {
  stopping = true
  resume()
  await within(PATIENCE_MILLIS, Promise.all(callers))
  const closed = await within(
    PATIENCE_MILLIS,
    app.close().then(
      () => {},
      (error: unknown) => void tell({ type: 'failed', error: reportOf(error) }),
    ),
  )
  tell({ type: 'stopped', hungCallers: busy, closed })
  process.disconnect()
}

async function answer(request: Request): Promise<void> {
  switch (request.type) {
    case 'pause':
      resumed = new Promise((resolve) => {
        resume = resolve
      })
      return
    case 'resume':
      return resume()
    case 'stall':
      return block(request.millis)
    case 'jump-clock':
      return jumpClock(request.millis)
    case 'dawdle': {
      const id = nextId++
      if (await attempt(() => app.writeTwice(id, () => pause(request.millis)))) tell({ type: 'committed', id, rows: 2 })
      return
    }
    case 'misuse':
      await attempt(async () => {
        if (!(await misuse(app, request.what))) tell({ type: 'not-possible' })
      })
      return
    case 'run':
      await attempt(() => app.run(request.text))
      return
    case 'count-connections':
      tell({ type: 'counted', connections: await countConnections(request.expected) })
      return
    case 'measure':
      return measureAtRest()
    case 'stop':
      return stop()
  }
}

function block(millis: number): void {
  const end = performance.now() + millis
  while (performance.now() < end);
}

function jumpClock(millis: number): void {
  const now = Date.now
  Date.now = () => now() + millis
}

let busy = 0
const callers = Array.from({ length: CALLERS }, async () => {
  busy++
  await caller()
  busy--
})
process.on('message', (request: Request) => void answer(request))
process.once('SIGTERM', () => void stop())
tell({ type: 'ready' })
