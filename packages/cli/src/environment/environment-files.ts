import { posix } from 'node:path'

/** How a framework or library reads its `.env` files. */
export type EnvironmentReader = 'next' | 'vite' | 'dotenv-flow' | 'bun' | 'dotenv'

/** Files that show which variables exist, and are not read by the app. */
const SAMPLE = /^\.env\.(.*[.-])?(example|sample|template|dist|tpl|schema|defaults?|vault|keys|enc|encrypted)([.-].*)?$/

/** The `.env` files of a directory, by what becomes of them. */
export interface EnvironmentFiles {
  /** Read by the app in this mode, the strongest first. */
  readonly used: readonly string[]
  /** For another mode, or another tool. */
  readonly others: readonly string[]
  /** Samples. */
  readonly ignored: readonly string[]
}

export function readerOf(packages: ReadonlyMap<string, string>): EnvironmentReader {
  if (packages.has('next')) return 'next'
  if (['vite', 'astro', '@sveltejs/kit', '@remix-run/dev', '@react-router/dev'].some((name) => packages.has(name)))
    return 'vite'
  if (packages.has('dotenv-flow')) return 'dotenv-flow'
  return packages.has('@types/bun') || packages.has('bun-types') ? 'bun' : 'dotenv'
}

/**
 * Which of a directory's `.env` files the app reads, and in which order: https://nextjs.org/docs/app/guides/environment-variables,
 * https://vite.dev/guide/env-and-mode, https://bun.com/docs/runtime/env. Prisma 5 and 6 also read `prisma/.env`.
 *
 * @param files their paths, relative to the directory.
 * @param named files that the app names itself, such as in `config({ path: '.env.local' })`, the strongest first.
 */
export function orderEnvironmentFiles(
  files: readonly string[],
  reader: EnvironmentReader,
  mode: string,
  named: readonly string[] = [],
): EnvironmentFiles {
  const ignored = files.filter((file) => SAMPLE.test(posix.basename(file)))
  const real = files.filter((file) => !ignored.includes(file))
  const order = [...new Set([...named, ...orderOf(reader, mode), 'prisma/.env'])]
  const used = order.filter((file) => real.includes(file))
  return { used, others: real.filter((file) => !used.includes(file)), ignored }
}

function orderOf(reader: EnvironmentReader, mode: string): readonly string[] {
  const local = mode === 'test' ? [] : ['.env.local']
  switch (reader) {
    case 'next':
      return [`.env.${mode}.local`, ...local, `.env.${mode}`, '.env']
    case 'vite':
    case 'dotenv-flow':
      return [`.env.${mode}.local`, `.env.${mode}`, '.env.local', '.env']
    case 'bun':
      return [...local, `.env.${mode}`, '.env']
    case 'dotenv':
      return ['.env']
  }
}
