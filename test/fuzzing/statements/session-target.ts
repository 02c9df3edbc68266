import fc from 'fast-check'
import { changesSession, lintStatement, mayCallSetConfig } from '../../../packages/core/src/statements/index.ts'
import { opensTransaction } from '../../../packages/core/src/statements/opens-transaction.ts'
import type { FuzzTarget } from '../fuzz-target.ts'
import { loadParser, parseStatements } from './parser.ts'
import { findingsInTree, isRejectedLater, leavesTransactionOpen, settingsInTree } from './session-effects.ts'
import { sqlTexts } from './sql-texts.ts'

export const sessionTarget: FuzzTarget = {
  name: 'session',
  claim: "findings about session state, changes of settings and open transactions agree with PostgreSQL's parser",
  cases: 10_000,
  matrixCases: 1_000_000,
  async prepare() {
    await loadParser()
    const counts = { 'valid texts': 0, 'texts with findings': 0, 'texts that open a transaction': 0 }
    const property = fc.property(sqlTexts, (text) => {
      const statements = parseStatements(text)
      if (!statements || statements.some(isRejectedLater)) return
      counts['valid texts']++
      const found = new Set(
        lintStatement(text).map(({ code }) => (/^(?:tracked-)?set(?:-role)?$/.test(code) ? 'setting' : code)),
      )
      if (found.size > 0) counts['texts with findings']++
      expectSame('findings', [...found].sort().join(), [...findingsInTree(statements)].sort().join(), text)
      if (!mayCallSetConfig(text)) expectSame('settings', changesSession(text), settingsInTree(statements), text)
      const opens = opensTransaction(text)
      if (opens) counts['texts that open a transaction']++
      expectSame('open transaction', opens, leavesTransactionOpen(statements), text)
    })
    return { property, counts }
  },
}

function expectSame(what: string, ours: unknown, theirs: unknown, text: string): void {
  if (ours !== theirs) throw new Error(`${what}: ${ours} instead of ${theirs}: ${text}`)
}
