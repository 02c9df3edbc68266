import { createRequire } from 'node:module'

// A CommonJS bundle, whose exports Node does not find by name, and Vitest not by default.
const { make } = createRequire(import.meta.url)('covertable') as typeof import('covertable')

type Factors = Record<string, readonly (string | number | boolean)[]>
type Case<F extends Factors> = { readonly [K in keyof F]: F[K][number] }

/** With `POOLGUARD_MATRIX=full` nothing is thinned. */
export const isFullMatrix: boolean = process.env.POOLGUARD_MATRIX === 'full'

/**
 * The cases to test: with `POOLGUARD_MATRIX=full` every combination, otherwise so few that every pair of values of any two
 * factors still occurs.
 *
 * @example
 * test.for(matrix({ postgres: [15, 18], poolMode: ['session', 'transaction'] }))('...', ({ postgres, poolMode }) => ...)
 */
export function matrix<F extends Factors>(factors: F): Case<F>[] {
  const strength = isFullMatrix ? Object.keys(factors).length : 2
  return make(factors as never, { length: strength }) as Case<F>[]
}

/** Some of many similar cases, at random and others in each run; with `POOLGUARD_MATRIX=full` all of them. */
export function sample<T>(cases: readonly T[], size: number): readonly T[] {
  if (isFullMatrix) return cases
  const left = [...cases]
  return Array.from({ length: Math.min(size, cases.length) }, () => {
    const [chosen] = left.splice(Math.floor(Math.random() * left.length), 1)
    return chosen as T
  })
}
