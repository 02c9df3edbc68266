import { t } from '../output/translate.ts'
import { bare } from '../source/evaluator.ts'
import type { Node } from '../source/module.ts'
import type { Adopter, Adoption } from './adoption.ts'

/** pg: `new Pool(options)` becomes `new GuardedPool(options)`. */
export const adoptPg: Adopter = (adoption) => {
  const { module, evaluator, instruct } = adoption
  for (const node of module.nodes) {
    evaluator.begin()
    if (node.type === 'NewExpression') {
      const member = evaluator.memberOf({ module, node: node.callee })
      const isPool =
        (member?.source === 'pg' && member.path === 'Pool') || (member?.source === 'pg-pool' && member.path === '')
      if (isPool) replaceCallee(adoption, node.callee, 'GuardedPool', '@poolguard/pg')
      else if (member?.source === 'pg' && member.path === 'native.Pool')
        instruct(
          node,
          t`poolguard does not support pg-native: use GuardedPool of @poolguard/pg in place of pg.native.Pool.`,
        )
    } else if ((node.type === 'ClassDeclaration' || node.type === 'ClassExpression') && node.superClass) {
      const member = evaluator.memberOf({ module, node: node.superClass })
      if (member?.source === 'pg' && member.path === 'Pool')
        instruct(
          node,
          t`A class extends pg.Pool: let it extend GuardedPool of @poolguard/pg, unless it overrides connect, query or end.`,
        )
    }
  }
}

/** postgres.js: `postgres(url, options)` becomes `guardPostgres(url, options)`. */
export const adoptPostgresJs: Adopter = (adoption) => {
  const { module, evaluator } = adoption
  for (const node of module.nodes) {
    evaluator.begin()
    if (node.type !== 'CallExpression') continue
    const member = evaluator.memberOf({ module, node: node.callee })
    if (member?.source === 'postgres' && member.path === '')
      replaceCallee(adoption, node.callee, 'guardPostgres', '@poolguard/postgres-js')
  }
}

/** Replaces a class or function of a driver by poolguard's, and imports it. */
function replaceCallee(adoption: Adoption, callee: Node, name: string, source: string): void {
  const { module, editor, need, instruct } = adoption
  const root = rootName(callee)
  const binding = root === undefined ? undefined : module.bindingOf(root, callee)
  if (root === undefined || binding === undefined) {
    // require('pg').Pool, in place
    if (!/require\(/.test(module.textOf(callee))) {
      instruct(callee, t`Use ${name} of ${source} here.`)
      return
    }
    need(source)
    editor.replace(bare(callee), `require(${editor.quoted(source)}).${name}`)
    return
  }
  if (binding.kind === 'import' && /^[.~@#]\//.test(binding.source)) {
    instruct(callee, t`The driver comes from ${binding.source}: use ${name} of ${source} in its place.`)
    return
  }
  if (!editor.canImport(name, source)) {
    instruct(callee, t`Use ${name} of ${source} here: this source has another ${name}.`)
    return
  }
  need(source)
  editor.replace(callee, name)
  editor.useReplaced(root)
  editor.import(name, source, statementOf(adoption, binding.node))
}

function rootName(node: Node): string | undefined {
  const plain = bare(node)
  if (plain.type === 'Identifier') return plain.name
  return plain.type === 'MemberExpression' ? rootName(plain.object) : undefined
}

/** The statement of the program that a declaration is in. */
function statementOf({ module }: Adoption, node: Node): Node {
  let at = node
  for (let parent = module.parentOf(at); parent && parent.type !== 'Program'; parent = module.parentOf(at)) at = parent
  return at
}
