import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { loadLibpq } from './libpq.ts'
import { compare, describeComparison, relationOf } from './libpq-differences.ts'
import { connectionStrings } from './texts.ts'

export const libpqTarget: FuzzTarget = {
  name: 'libpq',
  claim: 'a connection string means the same as for libpq, apart from the listed differences',
  cases: 20_000,
  matrixCases: 1_000_000,
  async prepare() {
    const readByLibpq = await loadLibpq()
    const counts = { same: 0, 'both reject': 0, listed: 0 }
    const property = fc.property(connectionStrings, (text) => {
      const comparison = compare(text, readByLibpq)
      const relation = relationOf(comparison, readByLibpq)
      if (relation === 'unlisted') throw new Error(describeComparison(comparison))
      counts[relation]++
    })
    return { property, counts }
  },
}
