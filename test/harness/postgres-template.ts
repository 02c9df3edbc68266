import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cached } from './cache.ts'
import { appDatabase, appRole, connectionUrl, superuser } from './credentials.ts'
import { loopback, onFreePort, PortTakenError } from './free-port.ts'
import { startByPgCtl } from './pg-ctl.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { stopSignals } from './postgres-server.ts'
import { queryOnce } from './query-once.ts'
import { giveToServerUser, serverUser } from './server-user.ts'

const stopMillis = 30_000

const initdbOptions = [
  '--auth=scram-sha-256',
  '--encoding=UTF8',
  '--locale=C',
  '--no-sync',
  // Megabytes: it is copied for every server.
  '--wal-segsize=1',
]

// One statement per line, as PostgreSQL's single-user mode wants it.
const firstStatements = [
  `CREATE ROLE ${appRole.user} LOGIN NOSUPERUSER PASSWORD '${appRole.password}'`,
  `CREATE DATABASE ${appDatabase} OWNER ${appRole.user}`,
]

/** A data folder that is ready to be copied: initialised once per version and recipe, then kept in the cache. */
export async function postgresTemplate(binaries: PostgresBinaries): Promise<string> {
  const recipe = JSON.stringify([initdbOptions, firstStatements, superuser, serverUser ?? process.getuid?.()])
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 10)
  const name = `postgres-${binaries.packageVersion}-${process.platform}-${process.arch}-template-${hash}`
  const folder = await cached(name, (draft) => makeTemplate(binaries, draft))
  return join(folder, 'data')
}

async function makeTemplate(binaries: PostgresBinaries, draft: string): Promise<void> {
  const data = await initialise(binaries, draft)
  await (process.platform === 'win32' ? runOnServer : runInSingleUserMode)(binaries, data)
}

/** Makes a cluster with nothing in it. */
export async function initialise(binaries: PostgresBinaries, draft: string): Promise<string> {
  const data = join(draft, 'data')
  mkdirSync(data, { mode: 0o700 })
  giveToServerUser(data)
  const passwordFile = join(draft, 'password')
  writeFileSync(passwordFile, superuser.password, { mode: 0o600 })
  giveToServerUser(passwordFile)

  await run(binaries.initdb, ['-D', data, '-U', superuser.user, `--pwfile=${passwordFile}`, ...initdbOptions], data)
  rmSync(passwordFile)
  return data
}

async function runInSingleUserMode(binaries: PostgresBinaries, data: string): Promise<void> {
  const singleUser = ['--single', '-D', data, '-c', 'fsync=off', 'postgres']
  const output = await run(binaries.postgres, singleUser, data, `${firstStatements.join('\n')}\n`)
  // Single-user mode reports a failed statement and then ends well.
  if (/\b(ERROR|FATAL|PANIC):/.test(output)) throw new Error(`the template's first statements failed:\n${output}`)
}

/** On Windows, an administrator can start a server only by pg_ctl, which has no single-user mode. */
export async function runOnServer(binaries: PostgresBinaries, data: string): Promise<void> {
  const logFile = join(data, 'template.log')
  await onFreePort(async (port) => {
    const args = ['-p', String(port), '-c', `listen_addresses=${loopback}`, '-c', 'unix_socket_directories=']
    const server = await startByPgCtl({ binaries, data, args, logFile, reaperSignal: stopSignals.immediate })
    if (!server.isRunning) throw new PortTakenError(`the server of the template did not start:\n${server.log()}`)
    const url = connectionUrl({ host: loopback, port }, { ...superuser, database: 'postgres' })
    try {
      for (const statement of firstStatements) await queryOnce(url, statement)
    } finally {
      await server.end(stopSignals.fast, stopMillis)
    }
  })
  rmSync(logFile)
}

/** Runs a program as the server's user to its end, and returns what it said. */
function run(program: string, args: readonly string[], cwd: string, input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...serverUser, cwd, windowsHide: true, env: { ...process.env, LC_ALL: 'C' } })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${program} ended with ${code}:\n${output}`))
    })
    // A program that ends before it has read everything says why itself.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
