/** The thread of one connection. What it is asked comes in batches, and is answered in batches. */
import { parentPort, workerData } from 'node:worker_threads'
import { loadDriver } from './load-driver.ts'
import type { Answer, ConnectionSpec, Greeting, Question } from './protocol.ts'
import { reportFailure, Session } from './session.ts'
import type { SqliteDriver } from './sqlite-driver.ts'

if (!parentPort) throw new Error('this is started by a pool, as a thread')
const port = parentPort

const session = await open(workerData as ConnectionSpec)
if (session) {
  port.on('message', (questions: readonly Question[]) => {
    port.postMessage(questions.map((question): Answer => session.answer(question)))
    if (questions.at(-1)?.[0] === 'close') port.close()
  })
}

async function open(spec: ConnectionSpec): Promise<Session | undefined> {
  let driver: SqliteDriver | undefined
  try {
    const loaded = await loadDriver(spec.driver)
    driver = loaded.driver
    const opened = new Session(driver, spec)
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
