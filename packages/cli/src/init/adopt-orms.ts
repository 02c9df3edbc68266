import type * as t from '@babel/types'
import { t as text } from '../output/translate.ts'
import { textAt } from '../project/pools/read-options.ts'
import { bare } from '../source/evaluator.ts'
import { functionAround, isFunction, keyOf, type Node } from '../source/module.ts'
import type { Adopter, Adoption } from './adoption.ts'
import { endOf, startOf } from './source-editor.ts'

const DRIZZLE = /^drizzle-orm\/(node-postgres|postgres-js)$/

/** Drizzle: only the import changes; poolguard's module exports all of Drizzle's names. */
export const adoptDrizzle: Adopter = ({ module, editor, need }) => {
  for (const { node, source, names } of importsIn(module.nodes)) {
    const [, driver] = DRIZZLE.exec(source.value) ?? []
    if (driver === undefined || !names.includes('drizzle') || isTypeOnly(node)) continue
    editor.replace(source, editor.quoted(`@poolguard/drizzle/${driver}`))
    need('@poolguard/drizzle')
  }
}

/** Prisma with an adapter: only the import changes. An adapter of a pool keeps it: the pool is adopted. */
export const adoptPrismaAdapter: Adopter = ({ module, editor, evaluator, need, instruct }) => {
  for (const { node, source, names } of importsIn(module.nodes)) {
    if (source.value !== '@prisma/adapter-pg' || isTypeOnly(node) || !names.includes('PrismaPg')) continue
    const created = module.nodes.filter(
      (each): each is t.NewExpression =>
        each.type === 'NewExpression' &&
        evaluator.memberOf({ module, node: each.callee })?.source === '@prisma/adapter-pg',
    )
    if (created.some(({ arguments: [options] }) => options && isPool(module, options))) continue
    if (
      names.some((name) => name !== 'PrismaPg') ||
      created.some((each) => /disposeExternalPool/.test(module.textOf(each)))
    ) {
      instruct(
        node,
        text`Import PrismaPg from @poolguard/prisma, which always closes its own pool: leave out disposeExternalPool.`,
      )
      continue
    }
    editor.replace(source, editor.quoted('@poolguard/prisma'))
    need('@poolguard/prisma')
  }

  function isPool(of: typeof module, options: Node): boolean {
    const resolved = evaluator.resolve({ module: of, node: options }).node
    return resolved.type === 'NewExpression' || (resolved.type === 'Identifier' && /pool$/i.test(resolved.name))
  }
}

/** Prisma's engine reads its pool's bounds from the URL, which poolguard writes. */
export const adoptPrismaEngine: Adopter = (adoption) => {
  const { module, evaluator, editor, prismaMajor, prismaVariable, need, instruct } = adoption
  if (prismaMajor === undefined || prismaMajor >= 7 || prismaVariable === undefined) return
  for (const node of module.nodes) {
    evaluator.begin()
    if (node.type === 'ClassDeclaration' && isPrismaClient(adoption, node.superClass) && !hasConstructor(node)) {
      instruct(
        node,
        text`Add a constructor with super({ datasourceUrl: guardPrismaUrl(process.env.${prismaVariable}) }), with guardPrismaUrl of @poolguard/prisma/engine.`,
      )
    }
    if (node.type !== 'NewExpression' || !isPrismaClient(adoption, node.callee)) continue
    const [options] = node.arguments
    if (options && evaluator.property({ module, node: options }, 'adapter')) continue
    if (/guardPrismaUrl/.test(module.textOf(node))) continue
    const setting = `datasourceUrl: guardPrismaUrl(process.env.${prismaVariable})`
    if (!options) {
      const hasParentheses = module.text.slice(startOf(node), endOf(node)).endsWith(')')
      if (hasParentheses) editor.insert(endOf(node) - 1, `{ ${setting} }`)
      else editor.insert(endOf(node), `({ ${setting} })`)
    } else if (options.type === 'ObjectExpression' && !/datasource/.test(module.textOf(options))) {
      const [first] = options.properties
      if (first) {
        const between = module.text.slice(startOf(options) + 1, startOf(first))
        editor.insert(startOf(first), `${setting},${between.includes('\n') ? between : ' '}`)
      } else editor.replace(options, `{ ${setting} }`)
    } else {
      instruct(node, text`Pass the URL through guardPrismaUrl of @poolguard/prisma/engine: ${setting}.`)
      continue
    }
    editor.import('guardPrismaUrl', '@poolguard/prisma/engine')
    need('@poolguard/prisma')
  }
}

function isPrismaClient({ module, evaluator }: Adoption, node: Node | null | undefined): boolean {
  return node ? /(^|\.)PrismaClient$/.test(evaluator.memberOf({ module, node })?.path ?? '') : false
}

function hasConstructor({ body }: t.ClassDeclaration): boolean {
  return body.body.some((each) => each.type === 'ClassMethod' && each.kind === 'constructor')
}

/** TypeORM: the options go through `guardDataSource`, in place, in a factory, or where a DataSource is made. */
export const adoptTypeOrm: Adopter = (adoption) => {
  const { module, evaluator, hasTypeOrmModule, instruct } = adoption
  for (const node of module.nodes) {
    evaluator.begin()
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') continue
    const member = evaluator.memberOf({ module, node: node.callee })
    const [options] = node.arguments
    if (!member || !options) continue
    if (member.source === 'typeorm' && member.path === 'DataSource' && node.type === 'NewExpression') {
      // Beside TypeOrmModule, it is for TypeORM's command line, whose migrations need the database itself.
      if (!hasTypeOrmModule) guardOptions(adoption, options)
    } else if (member.source === '@nestjs/typeorm' && member.path === 'TypeOrmModule.forRoot')
      guardOptions(adoption, options)
    else if (member.source === '@nestjs/typeorm' && member.path === 'TypeOrmModule.forRootAsync') {
      const factory = evaluator.property({ module, node: options }, 'useFactory')
      if (factory?.module === module && isFunction(factory.node)) guardFactory(adoption, factory.node)
      else instruct(node, text`Wrap the options that the factory returns in guardDataSource of @poolguard/typeorm.`)
    }
  }
}

function guardFactory(adoption: Adoption, factory: t.Function): void {
  const { module, instruct } = adoption
  if (factory.body.type !== 'BlockStatement') {
    guardOptions(adoption, factory.body)
    return
  }
  const returned = module.nodes.filter(
    (node): node is t.ReturnStatement => node.type === 'ReturnStatement' && functionAround(module, node) === factory,
  )
  if (returned.length === 0) {
    instruct(factory, text`Wrap the options in guardDataSource of @poolguard/typeorm.`)
    return
  }
  for (const { argument } of returned) if (argument) guardOptions(adoption, argument)
}

function guardOptions(adoption: Adoption, options: Node): void {
  const { module, evaluator, editor, need, instruct } = adoption
  const plain = bare(options)
  if (
    plain.type === 'CallExpression' &&
    evaluator.memberOf({ module, node: plain.callee })?.source === '@poolguard/typeorm'
  )
    return
  const type = textAt(evaluator, { module, node: options }, 'type')
  if (type !== undefined && type !== 'postgres') return
  if (type === undefined) {
    instruct(options, text`If these options are of PostgreSQL, wrap them in guardDataSource of @poolguard/typeorm.`)
    return
  }
  editor.wrap(options, 'guardDataSource(', ')')
  editor.import('guardDataSource', '@poolguard/typeorm')
  need('@poolguard/typeorm')
}

interface Import {
  readonly node: Node
  readonly source: t.StringLiteral
  /** Names of the package. */
  readonly names: readonly string[]
}

/** Imports and requires that name what they take. */
function importsIn(nodes: readonly Node[]): Import[] {
  return nodes.flatMap((node): Import[] => {
    if (node.type === 'ImportDeclaration') {
      const names = node.specifiers.map((each) =>
        each.type === 'ImportSpecifier'
          ? each.imported.type === 'Identifier'
            ? each.imported.name
            : each.imported.value
          : '*',
      )
      return [{ node, source: node.source, names }]
    }
    const isRequire =
      node.type === 'VariableDeclarator' && node.init?.type === 'CallExpression' && node.id.type === 'ObjectPattern'
    if (!isRequire || node.init?.type !== 'CallExpression' || node.id.type !== 'ObjectPattern') return []
    const [source] = node.init.arguments
    const isCall = node.init.callee.type === 'Identifier' && node.init.callee.name === 'require'
    if (!isCall || source?.type !== 'StringLiteral') return []
    const names = node.id.properties.flatMap((each) => (each.type === 'ObjectProperty' ? (keyOf(each) ?? []) : ['*']))
    return [{ node, source, names }]
  })
}

function isTypeOnly(node: Node): boolean {
  return node.type === 'ImportDeclaration' && node.importKind === 'type'
}
