import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const poolPerCall: Rule = {
  id: 'pool-per-call',
  title: 'A function creates a pool on each call',
  severity: 'warning',
  check: ({ project }) =>
    project.pools
      .filter(({ per, role, guarded }) => per === 'call' && role === 'app' && !guarded)
      .map(({ file, line, library, max }) => ({
        evidence: t`${file}:${line} creates a pool of ${library}${max === undefined ? '' : t` with max ${max}`} inside of a function.`,
        why: t`Each call, such as each tenant or each request, can open a pool of its own, and the number of connections has no limit.`,
        change: t`Create the pool once, at the top of a module, or keep the pools in a map by their key, close those that are unused, and limit how many there are.`,
        data: { library, ...(max !== undefined && { max }) },
        place: { file, line },
      })),
}
