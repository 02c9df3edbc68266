import { once } from 'node:events'
import { basename, dirname } from 'node:path'
import { createStream } from 'rotating-file-stream'
import { CannotRunError } from '../outcome.ts'
import { printableJson } from '../output/printable.ts'

/** Writes JSON lines to standard output or a file. */
export interface LineWriter extends AsyncDisposable {
  write(line: object): Promise<void>
}

export function standardOutput(): LineWriter {
  return {
    async write(line) {
      if (!process.stdout.write(`${printableJson(line)}\n`)) await once(process.stdout, 'drain')
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
  stream.on('error', (error) => failed.reject(new CannotRunError(`${file} cannot be written: ${error.message}.`)))
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
