import { libpqFile } from '../../libpq-file.ts'
import type { CredentialsRequest } from './credentials.ts'
import { findPassword } from './find-password.ts'

/** A password file, and where its path comes from. */
interface PasswordFile {
  readonly path: string
  /** For messages, which do not show a path of the URL or the environment: it may be a password in the wrong place. */
  readonly source: string
  /** False for the default file, which may be absent. */
  readonly isNamed: boolean
}

/** The bits of a file's mode that allow its group and others anything. */
const GROUP_OR_OTHERS = 0o077

const warned = new Set<string>()

/**
 * Reads the password of one connection from the password file, as libpq does. The file is read for each connection, so that a change
 * takes effect without a restart. A file that cannot be used is ignored; a warning says why, once.
 *
 * @param passfile the parameter `passfile` of the URL.
 */
export async function readPasswordFile(
  passfile: string | undefined,
  request: CredentialsRequest,
): Promise<string | undefined> {
  const file = passwordFile(passfile)
  const { promises } = process.getBuiltinModule('node:fs')
  try {
    // Before the file is opened: opening a pipe waits for a writer.
    const { mode } = await promises.stat(file.path)
    const obstacle = obstacleOf(mode, process.platform)
    if (obstacle === undefined) return findPassword(await promises.readFile(file.path, 'utf8'), request)
    warnOnce(file, obstacle)
  } catch (error) {
    // Node's error shows the path.
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    if (file.isNamed || code !== 'ENOENT') warnOnce(file, `cannot be read (${code})`)
  }
  return undefined
}

function passwordFile(passfile: string | undefined): PasswordFile {
  if (passfile) return { path: passfile, source: 'the parameter passfile', isNamed: true }
  const { PGPASSFILE } = process.env
  if (PGPASSFILE) return { path: PGPASSFILE, source: 'PGPASSFILE', isNamed: true }
  return { ...libpqFile('.pgpass', 'pgpass.conf'), isNamed: false }
}

/** Why libpq ignores a file of this mode. Windows has no such modes. */
export function obstacleOf(mode: number, platform: NodeJS.Platform): string | undefined {
  if (platform === 'win32') return undefined
  const { S_IFMT, S_IFREG } = process.getBuiltinModule('node:fs').constants
  if ((mode & S_IFMT) !== S_IFREG) return 'is not a plain file'
  if ((mode & GROUP_OR_OTHERS) === 0) return undefined
  return 'can be accessed by its group or by others. Run chmod 600 on it'
}

function warnOnce({ source }: PasswordFile, obstacle: string): void {
  const message = `The password file of ${source} is ignored: it ${obstacle}`
  if (warned.has(message)) return
  warned.add(message)
  process.emitWarning(message, 'PoolguardWarning')
}
