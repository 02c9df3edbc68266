import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const poolPerReload: Rule = {
  id: 'pool-per-reload',
  title: 'The development server opens another pool on each reload',
  severity: 'warning',
  check: ({ project }) =>
    project.pools
      .filter(({ per, role, guarded }) => per === 'reload' && role === 'app' && !guarded)
      .map(({ file, line, library, max }) => ({
        evidence: t`${file}:${line} creates a pool of ${library} when its module is loaded${max === undefined ? '' : t`, with up to ${max} connections`}.`,
        why: t`The development server loads a changed module again in the same process. The old pool stays open, so that some saved files use up all connections of the server.`,
        change: t`Keep the pool on globalThis, as in: ${exampleFor(library)}. A pool of poolguard with a name does that by itself.`,
        data: { library, ...(max !== undefined && { max }) },
        place: { file, line },
      })),
}

function exampleFor(library: string): string {
  if (library === 'prisma') return 'const prisma = (globalThis.prisma ??= new PrismaClient())'
  if (library === 'postgres') return 'const sql = (globalThis.sql ??= postgres(url))'
  return 'const pool = (globalThis.pool ??= new Pool())'
}
