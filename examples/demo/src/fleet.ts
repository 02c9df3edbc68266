import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AppEnvironment } from './app/environment.ts'
import type { AppMessage, AppResult } from './app/main.ts'

const APP = fileURLToPath(new URL('./app/main.ts', import.meta.url))

/** Starts one process per environment, starts their load at the same time, and collects their results. */
export async function runFleet(environments: readonly AppEnvironment[]): Promise<AppResult[]> {
  const processes = environments.map((environment) => startApp(environment))
  try {
    await Promise.all(processes.map((app) => heard(app, 'ready')))
    const results = Promise.all(processes.map((app) => heard(app, 'done')))
    for (const app of processes) app.send('go')
    return await results
  } finally {
    await Promise.all(processes.map(endApp))
  }
}

function startApp(environment: AppEnvironment): ChildProcess {
  return fork(APP, { env: { ...process.env, ...environment }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

async function endApp(app: ChildProcess): Promise<void> {
  if (app.exitCode !== null || app.signalCode !== null) return
  const exited = once(app, 'exit')
  if (app.connected) app.disconnect()
  await exited
}

type MessageOf<T extends AppMessage['type']> = Extract<AppMessage, { type: T }>

function heard<T extends AppMessage['type']>(app: ChildProcess, type: T): Promise<MessageOf<T>> {
  return new Promise((resolve, reject) => {
    app.on('message', (message: AppMessage) => {
      if (message.type === type) resolve(message as MessageOf<T>)
    })
    app.once('error', reject)
    app.once('exit', (code, signal) =>
      reject(new Error(`An app process exited early (${signal ?? `exit code ${code}`})`)),
    )
  })
}
