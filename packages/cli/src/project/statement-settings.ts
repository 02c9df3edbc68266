import { keyOf, type Module } from '../source/module.ts'
import type { StatementSetting } from './project-facts.ts'

/** Settings for prepared statements: `prepare` of postgres.js, and names for Prisma's adapter. */
export function statementSettings(module: Module): StatementSetting[] {
  const { file } = module
  return module.nodes.flatMap((node): StatementSetting[] => {
    if (node.type !== 'ObjectProperty' && node.type !== 'ObjectMethod') return []
    const key = keyOf(node)
    const line = module.lineOf(node)
    if (key === 'statementNameGenerator') return [{ file, line, kind: 'statement-names' }]
    if (key !== 'prepare' || node.type !== 'ObjectProperty' || node.value.type !== 'BooleanLiteral') return []
    return [{ file, line, kind: node.value.value ? 'prepare-true' : 'prepare-false' }]
  })
}
