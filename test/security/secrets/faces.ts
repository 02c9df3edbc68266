import { format, inspect } from 'node:util'
import type { Output } from './find-leaks.ts'

/** All the ways in which Node, JSON and the usual loggers show a value. */
export function facesOf(what: string, value: unknown): Output[] {
  const faces: Record<string, () => unknown> = {
    inspect: () => inspect(value, { depth: 8, maxStringLength: null }),
    'inspect with getters': () => inspect(value, { depth: 4, getters: true, maxStringLength: null }),
    format: () => format('%s %o %O %j', value, value, value, value),
    'as text': () => (typeof value === 'object' && value !== null ? `${value}` : String(value)),
    JSON: () => JSON.stringify(value),
    'spread into JSON': () => JSON.stringify({ ...(value as object) }),
    ...(value instanceof Error && { ...errorFaces(value) }),
  }
  return Object.entries(faces).map(([face, show]) => ({ where: `${what}, ${face}`, text: shown(show) }))
}

function errorFaces(error: Error): Record<string, () => unknown> {
  return {
    message: () => error.message,
    stack: () => error.stack,
    'own properties': () =>
      inspect(
        { ...Object.fromEntries(Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)])) },
        { depth: 8 },
      ),
    causes: () =>
      causesOf(error)
        .map((cause) => inspect(cause, { depth: 8, showHidden: true }))
        .join('\n'),
  }
}

function causesOf(error: unknown): unknown[] {
  const causes: unknown[] = []
  for (let cause = error; cause instanceof Error && causes.length < 9; cause = cause.cause) causes.push(cause.cause)
  return causes
}

function shown(show: () => unknown): string {
  try {
    return String(show())
  } catch (error) {
    // A circle in JSON, or a null prototype: then it shows the error, which must not hold the secret either.
    return String(error)
  }
}
