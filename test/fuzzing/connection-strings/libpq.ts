import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { postgresBinaries } from '../../harness/index.ts'
import { MissingRequirement } from '../fuzz-target.ts'

/** The keywords of a connection string with their values, or libpq's error. */
export type LibpqReading = ReadonlyMap<string, string> | string

interface Option {
  readonly keyword: string | null
  readonly val: string | null
}

/** `PQconninfoOption` in libpq-fe.h. An option without a keyword ends the array. */
const OPTION_FIELDS = {
  keyword: 'const char *',
  envvar: 'void *',
  compiled: 'void *',
  val: 'const char *',
  label: 'void *',
  dispchar: 'void *',
  dispsize: 'int',
}

/**
 * Loads the libpq of PostgreSQL 18 from its npm package, and returns its `PQconninfoParse`
 * (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PQCONNINFOPARSE).
 *
 * @throws {MissingRequirement} if there is no libpq for this machine.
 */
export async function loadLibpq(): Promise<(text: string) => LibpqReading> {
  const libpq = await openLibrary()
  const { koffi, library } = libpq
  const parse = library.func('void *PQconninfoParse(const char *conninfo, _Out_ void **errmsg)')
  const freeText = library.func('void PQfreemem(void *text)')
  const readOptions = optionsReader(libpq)

  return (text) => {
    const message = [null]
    const options: unknown = parse(text, message)
    if (options === null) {
      const error: string = koffi.decode(message[0], 'char', -1)
      freeText(message[0])
      return error.trim()
    }
    return readOptions(options)
  }
}

/**
 * Loads the same libpq, and returns what it connects with: the connection string, completed by a service file and by defaults. libpq
 * reads them before it connects, so no server is needed.
 *
 * @throws {MissingRequirement} if there is no libpq for this machine.
 */
export async function loadLibpqConnection(): Promise<(conninfo: string) => LibpqReading> {
  const libpq = await openLibrary()
  const { library } = libpq
  const start = library.func('void *PQconnectStart(const char *conninfo)')
  const conninfo = library.func('void *PQconninfo(void *connection)')
  const host = library.func('const char *PQhost(void *connection)')
  const message = library.func('const char *PQerrorMessage(void *connection)')
  const finish = library.func('void PQfinish(void *connection)')
  const readOptions = optionsReader(libpq)
  return (text) => {
    const connection: unknown = start(text)
    const isRead = Boolean(host(connection))
    const reading = isRead ? readOptions(conninfo(connection)) : String(message(connection)).trim()
    finish(connection)
    return reading
  }
}

/** Reads and frees an array of options. */
function optionsReader({ koffi, library }: Library): (options: unknown) => ReadonlyMap<string, string> {
  const optionType = koffi.struct(OPTION_FIELDS)
  const freeOptions = library.func('void PQconninfoFree(void *options)')
  const size = koffi.sizeof(optionType)
  return (options) => {
    const found = new Map<string, string>()
    for (let index = 0; ; index++) {
      const { keyword, val }: Option = koffi.decode(options, index * size, optionType)
      if (keyword === null) break
      if (val !== null) found.set(keyword, val)
    }
    freeOptions(options)
    return found
  }
}

/**
 * Loads the same libpq, and returns the password that it takes for a connection, from the connection string or a password file. libpq
 * looks it up before it connects, so no server is needed.
 *
 * @throws {MissingRequirement} if there is no libpq for this machine.
 */
export async function loadLibpqPassword(): Promise<(conninfo: string) => string> {
  const { library } = await openLibrary()
  const start = library.func('void *PQconnectStart(const char *conninfo)')
  const password = library.func('const char *PQpass(void *connection)')
  const finish = library.func('void PQfinish(void *connection)')
  return (conninfo) => {
    const connection: unknown = start(conninfo)
    const found: string = password(connection)
    finish(connection)
    return found
  }
}

type Library = Awaited<ReturnType<typeof openLibrary>>

/** koffi and PostgreSQL have a package for each platform. */
async function openLibrary() {
  try {
    const { default: koffi } = await import('koffi')
    return { koffi, library: koffi.load(await libraryPath()) }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new MissingRequirement(`libpq does not load on this machine: ${problem}`, { cause: error })
  }
}

/** Windows keeps a program's libraries beside it. */
async function libraryPath(): Promise<string> {
  const programs = dirname((await postgresBinaries(18)).postgres)
  const libraries = join(dirname(programs), 'lib')
  const paths = [
    join(libraries, 'libpq.so.5'),
    join(libraries, 'libpq.5.dylib'),
    join(programs, 'libpq.dll'),
    join(libraries, 'libpq.dll'),
  ]
  const found = paths.find((path) => existsSync(path))
  if (found === undefined) throw new Error(`libpq is not in PostgreSQL's npm package; looked for ${paths.join(', ')}`)
  return found
}
