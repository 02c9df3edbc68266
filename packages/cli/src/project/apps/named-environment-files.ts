import { posix } from 'node:path'
import { Evaluator, memberName } from '../../source/evaluator.ts'
import type { Module } from '../../source/module.ts'
import type { Place, SourceGraph } from '../../source/source-graph.ts'
import type { Manifest } from './manifest.ts'

/** `node --env-file=.env.local`, `dotenv -e .env.local -- next dev`. */
const IN_SCRIPT = /(?:--env-file(?:-if-exists)?[= ]|\bdotenv (?:-e|-f) |\benv-cmd -f )["']?([\w./-]{1,200})/g

/** `.env` files that an app names itself: in scripts, for dotenv, and for Nest's ConfigModule. The strongest first. */
export function namedEnvironmentFiles(manifest: Manifest, modules: readonly Module[], graph: SourceGraph): string[] {
  const inSources = modules.flatMap((module) => namedIn(module, graph))
  return [...new Set([...filesInScripts(manifest), ...inSources.map((file) => posix.normalize(file))])]
}

/** `.env` files that the scripts of a package.json name. */
export function filesInScripts(manifest: Manifest): string[] {
  const scripts = Object.values(Object(manifest.scripts) as object).filter((each) => typeof each === 'string')
  return scripts.flatMap((script) =>
    [...script.slice(0, 2_000).matchAll(IN_SCRIPT)].map(([, file = '']) => posix.normalize(file)),
  )
}

function namedIn(module: Module, graph: SourceGraph): string[] {
  const evaluator = new Evaluator(graph)
  return module.nodes.flatMap((node) => {
    if (node.type !== 'CallExpression') return []
    const [options] = node.arguments
    if (!options) return []
    const member = evaluator.memberOf({ module, node: node.callee })
    const isNest =
      node.callee.type === 'MemberExpression' &&
      memberName(node.callee) === 'forRoot' &&
      member?.source === '@nestjs/config'
    const isDotenv = member !== undefined && /^dotenv/.test(member.source) && /(^|\.)(config|load)$/.test(member.path)
    if (!isNest && !isDotenv) return []
    const files = evaluator.property({ module, node: options }, isNest ? 'envFilePath' : 'path')
    return files ? textsIn(evaluator, files) : []
  })
}

function textsIn(evaluator: Evaluator, place: Place): string[] {
  const { module, node } = evaluator.resolve(place)
  if (node.type === 'StringLiteral') return [node.value]
  if (node.type !== 'ArrayExpression') return []
  return node.elements.flatMap((each) => (each ? textsIn(evaluator, { module, node: each }) : []))
}
