/** The thread of one connection. What it is asked comes in batches, and is answered in batches. */
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Greeting, ThreadData } from '../protocol.ts'
import { type Packed, packAnswers, unpackQuestions } from '../wire.ts'
import { loadDriver } from './load-driver.ts'
import { reportFailure, Session } from './session.ts'
import type { SqliteDriver } from './sqlite-driver.ts'

if (!parentPort) throw new Error('this is started by a pool, as a thread')
const port = parentPort

/** Of what a thread gets of a core, this leaves the event loop's three times as much. */
const NICER = 5

const { progress, ...spec }: ThreadData = workerData
if (spec.role === 'reader') giveWay()
const session = await open()
if (session) {
  port.on('message', (packed: Packed) => {
    const questions = unpackQuestions(packed)
    port.postMessage(packAnswers(session.answerAll(questions)))
    if (questions.some(([kind]) => kind === 'close')) port.close()
  })
}

async function open(): Promise<Session | undefined> {
  let driver: SqliteDriver | undefined
  try {
    const loaded = await loadDriver(spec.driver)
    driver = loaded.driver
    const opened = new Session(driver, spec, () => Atomics.add(progress, 0, 1))
    greet({ opened: true, driver: driver.name, warning: loaded.warning })
    return opened
  } catch (error) {
    greet({ opened: false, failure: reportFailure(driver, error, false) })
    return undefined
  }
}

function greet(greeting: Greeting): void {
  port.postMessage(greeting)
}

/**
 * Where there are more threads than cores, the event loop goes before long queries. Not before the writer, for which others
 * wait. Only Linux has priorities of threads; elsewhere it would be that of the process.
 */
function giveWay(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(getPriority(0) + NICER, 19))
  } catch {
    // A sandbox may know of none.
  }
}
