import vm from 'node:vm'
import { type ParserPlugin, parse } from '@babel/parser'
import type { File } from '@babel/types'
import { t } from '../output/translate.ts'

/** A parsed source. */
export interface ParsedSource {
  readonly file: File
  /** Lines that are not valid and were left out, such as the marks of a merge conflict. */
  readonly skippedLines: readonly number[]
}

/** A source that cannot be parsed. The message says why, without quoting the source. */
export class SourceSyntaxError extends Error {
  override readonly name = 'SourceSyntaxError'
}

export interface ParseOptions {
  /** Invalid lines to leave out before giving up. Default 0. */
  readonly maxSkippedLines?: number
  /** Time for one source, including repetitions. Default 1000. */
  readonly timeoutMillis?: number
}

/** `vm` can interrupt a parser that an untrusted source keeps busy: some nested type arguments take exponential time. */
const context: { parse?: () => File } = {}
vm.createContext(context)
const script = new vm.Script('parse()')

/**
 * Parses JavaScript or TypeScript, with JSX and decorators.
 *
 * @throws {SourceSyntaxError} names the first line that is not valid.
 */
export function parseSource(name: string, text: string, options: ParseOptions = {}): ParsedSource {
  const { maxSkippedLines = 0, timeoutMillis = 1_000 } = options
  const deadline = performance.now() + timeoutMillis
  const skippedLines: number[] = []
  let rest = text
  for (;;) {
    try {
      return { file: parseOnce(name, rest, deadline), skippedLines }
    } catch (error) {
      const line = lineOf(error)
      if (line === undefined) throw new SourceSyntaxError(reasonOf(error))
      // A line that fails again is not the cause.
      if (skippedLines.length >= maxSkippedLines || skippedLines.includes(line))
        throw new SourceSyntaxError(t`syntax error in line ${skippedLines[0] ?? line}`)
      skippedLines.push(line)
      rest = withoutLine(rest, line)
    }
  }
}

function parseOnce(name: string, text: string, deadline: number): File {
  context.parse = () =>
    parse(text, {
      sourceType: 'unambiguous',
      errorRecovery: true,
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
      attachComment: false,
      plugins: pluginsFor(name),
    })
  try {
    return script.runInContext(context, { timeout: Math.max(1, Math.ceil(deadline - performance.now())) }) as File
  } finally {
    delete context.parse
  }
}

/** In `.ts` files, `<T>value` is a type assertion, not JSX. */
function pluginsFor(name: string): ParserPlugin[] {
  const syntax: ParserPlugin[] = /\.[cm]?ts$/.test(name)
    ? ['typescript']
    : name.endsWith('.tsx')
      ? ['typescript', 'jsx']
      : ['jsx']
  return [...syntax, 'decorators-legacy', 'decoratorAutoAccessors', 'explicitResourceManagement']
}

function lineOf(error: unknown): number | undefined {
  return (error as { loc?: { line?: number } }).loc?.line
}

function reasonOf(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return t`takes too long to parse`
  return error instanceof RangeError ? t`nested too deeply` : t`cannot be parsed`
}

/** Replaces a line with blanks, so that places stay the same. */
function withoutLine(text: string, line: number): string {
  const lines = text.split('\n')
  lines[line - 1] = ' '.repeat(lines[line - 1]?.length ?? 0)
  return lines.join('\n')
}
