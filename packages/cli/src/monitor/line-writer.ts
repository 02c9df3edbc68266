import { once } from 'node:events'
import { basename, dirname } from 'node:path'
import { createStream } from 'rotating-file-stream'
import { CannotRunError } from '../outcome.ts'
import { printableJson } from '../output/printable.ts'
import { t } from '../output/translate.ts'

/** Writes lines to standard output or a file. */
export interface LineWriter<T extends object = object> extends AsyncDisposable {
  write(line: T): Promise<void>
}

/** @param format the text of a line; undefined prints nothing. Default: JSON. */
export function standardOutput<T extends object>(
  format: (line: T) => string | undefined = (line) => printableJson(line),
): LineWriter<T> {
  return {
    async write(line) {
      const text = format(line)
      if (text !== undefined && !process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain')
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** A file that is rotated at a size (`orders.log.1`, `.2`...); keeps `keep` rotated files. */
export function rotatingFile(file: string, { megabytes, keep }: { megabytes: number; keep: number }): LineWriter {
  const name = basename(file)
  const stream = createStream((index) => (index === null ? name : `${name}.${index}`), {
    path: dirname(file),
    size: `${megabytes * 1_000}K`,
    rotate: keep,
  })
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  stream.on('error', (error) => failed.reject(new CannotRunError(t`${file} cannot be written: ${error.message}.`)))
  let hasFailed = false
  return {
    async write(line) {
      const flushed = stream.write(`${printableJson(line)}\n`) ? undefined : once(stream, 'drain')
      try {
        await Promise.race([failed.promise, flushed])
      } catch (error) {
        hasFailed = true
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      if (hasFailed) return
      stream.end()
      await Promise.race([failed.promise, once(stream, 'close')])
    },
  }
}
