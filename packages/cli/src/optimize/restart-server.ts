import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ConnectionString, readOneRow } from '@poolguard/core/postgres'
import { contact } from '../database/contact.ts'
import { environment } from '../environment/own-environment.ts'
import { t } from '../output/translate.ts'
import { APPLICATION } from './application.ts'

export interface RestartOptions {
  /** A shell command. */
  readonly command: string
  /** For the command, and again for the server. */
  readonly timeoutMillis: number
  readonly onProgress: (what: string) => void
}

export type Restart =
  | { readonly restarted: true }
  /** The error, as a sentence without its period. */
  | { readonly restarted: false; readonly reachable: boolean; readonly why: string }

const POLL_MILLIS = 200

/**
 * Runs the command, and waits until a new server process accepts connections.
 *
 * @param before start time of the process to replace.
 */
export async function restartServer(
  url: ConnectionString,
  before: string,
  { command, timeoutMillis, onProgress }: RestartOptions,
): Promise<Restart> {
  onProgress(t`Running ${command}`)
  const failure = await runCommand(command, timeoutMillis)
  if (failure !== undefined) return { restarted: false, reachable: (await startedAt(url)) !== undefined, why: failure }
  const began = performance.now()
  let seen: string | undefined
  for (let waited = 0; waited < timeoutMillis; waited = performance.now() - began) {
    onProgress(t`Waiting for PostgreSQL, ${Math.round(waited / 1_000)} of ${timeoutMillis / 1_000} s`)
    seen = await startedAt(url)
    if (seen !== undefined && seen !== before) return { restarted: true }
    await pause(POLL_MILLIS)
  }
  const seconds = timeoutMillis / 1_000
  const why =
    seen === undefined
      ? t`PostgreSQL did not accept connections within ${seconds} s. See its log`
      : t`PostgreSQL is running, but did not restart within ${seconds} s: does the command restart this server?`
  return { restarted: false, reachable: seen !== undefined, why }
}

/** The start time of the server; undefined if it does not accept connections. */
async function startedAt(url: ConnectionString): Promise<string | undefined> {
  await using database = contact(url, { applicationName: APPLICATION, max: 1 })
  try {
    await database.reach()
    const { rows } = await database.pool.query('select pg_catalog.pg_postmaster_start_time()::pg_catalog.text as at')
    return readOneRow('the query for the start', rows, (row) => row.text('at'))
  } catch {
    return undefined
  }
}

/**
 * Returns the error, or undefined. The output goes to a file, because a server that the command starts may inherit it: a pipe
 * would keep this process waiting, or break when it exits.
 */
async function runCommand(command: string, timeoutMillis: number): Promise<string | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-restart-'))
  const file = join(folder, 'output')
  const output = openSync(file, 'a')
  try {
    const child = spawn(command, { shell: true, env: environment, stdio: ['ignore', output, output] })
    const ended = Promise.withResolvers<string | undefined>()
    child.once('error', (error) => ended.resolve(t`The restart command could not run: ${error.message}`))
    child.once('exit', (code, signal) => {
      const last = readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? ''
      ended.resolve(
        code === 0 ? undefined : t`The restart command exited with ${code ?? signal}${last ? `: ${last}` : ''}`,
      )
    })
    const late = pause(timeoutMillis, t`The restart command did not finish within ${timeoutMillis / 1_000} s`, {
      ref: false,
    })
    const failure = await Promise.race([ended.promise, late])
    child.kill()
    return failure
  } finally {
    closeSync(output)
    remove(folder)
  }
}

/** A server that the command has started keeps the output open, and Windows may not remove an open file. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    // It stays in the directory for temporary files.
  }
}
