import fc from 'fast-check'
import { type ShareMode, shareObstacle } from '../../../packages/core/src/statements/index.ts'
import type { FuzzTarget } from '../fuzz-target.ts'
import { loadParser, parseStatements } from './parser.ts'
import { obstacleInTree } from './read-verdict.ts'
import { sqlTexts } from './sql-texts.ts'

const MODES: readonly ShareMode[] = ['reads', 'all']

export const readsTarget: FuzzTarget = {
  name: 'reads',
  claim: "no statement counts as sharing a connection safely if PostgreSQL's parser shows that it does more",
  cases: 10_000,
  matrixCases: 1_000_000,
  async prepare() {
    await loadParser()
    const counts = { 'valid texts': 0, 'texts that only read': 0, 'texts that may write': 0 }
    const property = fc.property(sqlTexts, (text) => {
      const statements = parseStatements(text)
      if (!statements) return
      counts['valid texts']++
      for (const mode of MODES) {
        if (shareObstacle(text, mode) !== undefined) continue
        counts[mode === 'reads' ? 'texts that only read' : 'texts that may write']++
        const obstacle = obstacleInTree(statements, mode)
        if (obstacle !== undefined) throw new Error(`${mode}: ${obstacle}: ${text}`)
      }
    })
    return { property, counts }
  },
}
