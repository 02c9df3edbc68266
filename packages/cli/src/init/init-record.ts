import { createHash } from 'node:crypto'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { ProjectFolder } from '../project/project-folder.ts'
import { readFileInside } from '../project/read-regular-file.ts'
import { readEditable, replaceTexts } from './editable-file.ts'
import type { PlannedFile, PlannedInstall } from './plan-init.ts'
import { applySplices, type Splice, splicesBetween } from './splices.ts'

/** The file in the project's root that `init --undo` reads. It contains no secrets. */
export const RECORD = '.poolguard-init.json'

interface RecordedFile {
  readonly file: string
  /** SHA-256 of the text after `init`. */
  readonly hash: string
  /** Turn the text after `init` into the text before. */
  readonly splices: readonly Splice[]
}

/** One run of `init`. */
export interface RecordedRun {
  readonly files: readonly RecordedFile[]
  /** Packages that `init` installed. */
  readonly installs: readonly PlannedInstall[]
}

/** Writes the files of a plan, and records how to undo it. */
export function applyFiles(folder: string, files: readonly PlannedFile[], installs: readonly PlannedInstall[]): void {
  const project = new ProjectFolder(folder)
  const changed = files.filter(({ file, before }) => readEditable(project, file) !== before)
  if (changed.length > 0) throw changedFiles(changed, t`Nothing was changed: run init again.`)
  const run: RecordedRun = {
    files: files.map(({ file, before, after }) => ({
      file,
      hash: hashOf(after),
      splices: splicesBetween(after, before),
    })),
    installs,
  }
  replaceTexts(
    folder,
    files.map(({ file, after }) => ({ file, text: after })),
  )
  writeRuns(folder, [...readRuns(folder), run])
}

/**
 * Undoes the last run: restores every file, or none.
 *
 * @throws {CannotRunError} if there is no record, or if a file has changed since.
 */
export function undoFiles(folder: string): RecordedRun {
  const runs = readRuns(folder)
  const run = runs.at(-1)
  if (!run) throw new CannotRunError(t`There is nothing to undo: ${RECORD} does not exist.`)
  const project = new ProjectFolder(folder)
  const found = run.files.map((each) => ({ ...each, text: readEditable(project, each.file) }))
  const changed = found.filter(({ text, hash }) => text === undefined || hashOf(text) !== hash)
  if (changed.length > 0) throw changedFiles(changed, t`Nothing was undone: restore them from version control.`)
  replaceTexts(
    folder,
    found.map(({ file, text = '', splices }) => ({ file, text: applySplices(text, splices) })),
  )
  writeRuns(folder, runs.slice(0, -1))
  return run
}

function changedFiles(files: readonly { readonly file: string }[], then: string): CannotRunError {
  return new CannotRunError(t`Changed in the meantime: ${files.map(({ file }) => file).join(', ')}. ${then}`)
}

function writeRuns(folder: string, runs: readonly RecordedRun[]): void {
  const file = join(folder, RECORD)
  if (runs.length === 0) rmSync(file, { force: true })
  else writeFileSync(file, `${JSON.stringify({ runs }, null, 2)}\n`)
}

/** @throws {CannotRunError} if the record is not one of `init`. */
function readRuns(folder: string): readonly RecordedRun[] {
  if (!existsSync(join(folder, RECORD))) return []
  try {
    const runs: unknown = Object(JSON.parse(readFileInside(folder, RECORD))).runs
    if (Array.isArray(runs) && runs.every(isRun)) return runs
  } catch {
    // The error below says which file it is.
  }
  throw new CannotRunError(t`${RECORD} is not valid. Remove it, and restore the files from version control.`)
}

function isRun(run: unknown): run is RecordedRun {
  const { files, installs } = Object(run) as Partial<RecordedRun>
  return Array.isArray(files) && files.every(isFile) && Array.isArray(installs) && installs.every(isInstall)
}

function isFile(entry: unknown): boolean {
  const { file, hash, splices } = Object(entry) as Partial<RecordedFile>
  return typeof file === 'string' && typeof hash === 'string' && Array.isArray(splices) && splices.every(isSplice)
}

function isSplice(entry: unknown): boolean {
  const { at, remove, insert } = Object(entry) as Partial<Splice>
  return Number.isSafeInteger(at) && Number.isSafeInteger(remove) && typeof insert === 'string'
}

/** Only poolguard's own packages, because their names become arguments of the package manager. */
function isInstall(entry: unknown): boolean {
  const { folder, packages } = Object(entry) as Partial<PlannedInstall>
  const isInside = typeof folder === 'string' && !folder.split(/[\\/]/).includes('..') && !/^([\\/]|\w:)/.test(folder)
  return isInside && Array.isArray(packages) && packages.every((name) => /^@poolguard\/[a-z-]+$/.test(String(name)))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
