import type { Rule } from '../rule.ts'

export const prepareOffWithoutNeed: Rule = {
  id: 'prepare-off-without-need',
  title: 'Prepared statements are off though they work here',
  severity: 'warning',
  check: ({ server, project }) => {
    if (server?.topology.preparedStatements !== 'safe') return []
    const seen = server.topology.evidence.join('; ')
    return project.code
      .filter(({ kind }) => kind === 'prepare-false')
      .map(({ file, line }) => ({
        evidence: `prepare: false in ${file}:${line}. ${seen}.`,
        why: "Every query is planned anew: poolguard's own benchmark saw 1.4 to 7 times fewer queries per second.",
        change: 'Take prepare: false out, or use @poolguard/postgres-js, which decides by what it finds.',
      }))
  },
}
