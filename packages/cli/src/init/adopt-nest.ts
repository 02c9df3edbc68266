import type * as t from '@babel/types'
import { t as text } from '../output/translate.ts'
import { keyOf, type Module, type Node } from '../source/module.ts'
import type { Adopter } from './adoption.ts'
import { endOf, startOf } from './source-editor.ts'

/** Nest: the app's root module imports PoolguardModule, which observes all pools and closes its own ones last. */
export const adoptNest: Adopter = ({ module, editor, need, instruct }) => {
  const owner = rootModule(module)
  if (!owner || /PoolguardModule/.test(module.text)) return
  const options = moduleOptions(owner)
  if (options?.type !== 'ObjectExpression') {
    instruct(owner, text`Add PoolguardModule.forRoot() of @poolguard/nestjs to the imports of this module.`)
    return
  }
  const entry = 'PoolguardModule.forRoot()'
  const imports = options.properties.find((each) => each.type === 'ObjectProperty' && keyOf(each) === 'imports')
  if (imports?.type === 'ObjectProperty') {
    if (imports.value.type !== 'ArrayExpression') {
      instruct(imports, text`Add PoolguardModule.forRoot() of @poolguard/nestjs to these imports.`)
      return
    }
    appendTo(imports.value, entry)
  } else {
    const [first] = options.properties
    const between = first ? module.text.slice(startOf(options) + 1, startOf(first)) : ''
    if (first) editor.insert(startOf(first), `imports: [${entry}],${between.includes('\n') ? between : ' '}`)
    else editor.replace(options, `{ imports: [${entry}] }`)
  }
  editor.import('PoolguardModule', '@poolguard/nestjs')
  need('@poolguard/nestjs')

  /** In the layout of the list: on a line of its own, or behind the last one. */
  function appendTo(list: t.ArrayExpression, added: string): void {
    const last = list.elements.at(-1)
    if (!last) {
      editor.insert(endOf(list) - 1, added)
      return
    }
    const rest = module.text.slice(endOf(last), endOf(list) - 1)
    const isOnLines = rest.includes('\n')
    const comma = /^\s*,/.exec(rest)?.[0]
    const line = `${editor.lineEnd}${editor.indentOf(last)}${added}`
    if (comma !== undefined) editor.insert(endOf(last) + comma.length, isOnLines ? `${line},` : ` ${added}`)
    else editor.insert(endOf(last), isOnLines ? `,${line}` : `, ${added}`)
  }
}

/** The class `AppModule`, or a module that sets up the database. */
function rootModule(module: Module): t.ClassDeclaration | undefined {
  const classes = module.nodes.filter((node): node is t.ClassDeclaration => node.type === 'ClassDeclaration')
  const modules = classes.filter((each) => moduleDecorator(each))
  return modules.find(({ id }) => id?.name === 'AppModule' || id?.name === 'ApplicationModule')
}

function moduleDecorator({ decorators }: t.ClassDeclaration): t.CallExpression | undefined {
  const calls = (decorators ?? []).map(({ expression }) => expression)
  return calls.find(
    (each): each is t.CallExpression =>
      each.type === 'CallExpression' && each.callee.type === 'Identifier' && each.callee.name === 'Module',
  )
}

function moduleOptions(owner: t.ClassDeclaration): Node | undefined {
  return moduleDecorator(owner)?.arguments[0]
}
