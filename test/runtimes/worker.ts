import { writeFile } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import * as esbuild from 'esbuild'
import { Miniflare } from 'miniflare'

/** Workers with a pool for each request, as docs/serverless.md shows it. */
export const WORKERS: Readonly<Record<string, string>> = {
  '@poolguard/pg': `import { GuardedPool } from '@poolguard/pg'

export default {
  async fetch(request, env) {
    const pool = new GuardedPool({ url: env.HYPERDRIVE.connectionString, preset: 'serverless' })
    try {
      const results = await Promise.all([1, 2, 3].map(() => pool.query('select 40 + 2 as answer')))
      return Response.json(results.map(({ rows }) => rows[0].answer))
    } finally {
      await pool.end()
    }
  },
}`,
  '@poolguard/postgres-js': `import { guardPostgres } from '@poolguard/postgres-js'

export default {
  async fetch(request, env) {
    const sql = guardPostgres(env.HYPERDRIVE.connectionString, { preset: 'serverless' })
    try {
      const results = await Promise.all([1, 2, 3].map(() => sql\`select 40 + 2 as answer\`))
      return Response.json(results.map(([row]) => row.answer))
    } finally {
      await sql.end()
    }
  },
}`,
}

/**
 * A Worker in workerd with Node's compatibility, bundled as wrangler does it. `env.HYPERDRIVE` is Miniflare's: it
 * leads to `url` itself, without Hyperdrive's pool.
 */
export async function startWorker(
  source: string,
  { folder, url, log }: { folder: string; url: string; log(text: string): void },
): Promise<Miniflare> {
  const entry = join(folder, 'worker.mjs')
  await writeFile(entry, source)
  const { outputFiles } = await esbuild.build({
    entryPoints: [entry],
    ...{ bundle: true, write: false, format: 'esm', logLevel: 'silent' },
    ...{ conditions: ['workerd', 'worker', 'browser'], mainFields: ['browser', 'module', 'main'] },
    external: ['node:*', 'cloudflare:*', 'pg-native', ...builtinModules],
    nodePaths: [join(import.meta.dirname, 'node_modules')],
    // The drivers are CommonJS modules, which require Node's own.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
  })
  return new Miniflare({
    ...{ modules: true, script: outputFiles[0]?.text ?? '' },
    ...{ compatibilityDate: '2026-07-01', compatibilityFlags: ['nodejs_compat'], hyperdrives: { HYPERDRIVE: url } },
    handleRuntimeStdio: (...streams: Readable[]) => {
      for (const stream of streams) stream.on('data', (chunk: Buffer) => log(String(chunk)))
    },
  })
}
