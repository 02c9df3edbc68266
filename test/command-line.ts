import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Ends a program of the tests because of a wrong argument. */
export function reject(problem: string): never {
  process.stderr.write(`${problem}\n`)
  process.exit(2)
}

/** The value of an option that takes a whole number. Ends the program if it is none, or less than `min`. */
export function readNumber(option: string, text: string, min: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < min) reject(`${option} must be a whole number from ${min}, not ${text}`)
  return number
}

/** Reads a program's arguments. Ends the program if one is unknown, or has no value. */
export function readArguments<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    return reject((error as Error).message)
  }
}
