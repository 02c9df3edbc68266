/** How `node:child_process` starts a program. */
export interface PortableCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly shell: boolean
}

/**
 * A program that npm or a package has put in place. On Windows it is a script, which Node starts only through a shell, and a shell gets one
 * line: Node would join the arguments without quotes.
 *
 * @see https://nodejs.org/api/child_process.html#spawning-bat-and-cmd-files-on-windows
 */
export function portableCommand(
  program: string,
  args: readonly string[],
  platform: NodeJS.Platform = process.platform,
): PortableCommand {
  if (platform !== 'win32') return { file: program, args, shell: false }
  return { file: [program, ...args].map(quoted).join(' '), args: [], shell: true }
}

/** A word for cmd.exe. */
function quoted(word: string): string {
  return /^[\w@./:\\=,*+-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`
}
