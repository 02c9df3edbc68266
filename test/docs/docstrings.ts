import type { CodeBlock } from './documents.ts'

/** What is used of the JSON that TypeDoc writes (https://typedoc.org/documents/Options.Output.html#json). */
export interface Reflection {
  readonly name: string
  readonly comment?: { readonly blockTags?: readonly BlockTag[] }
  /** Set where the docstring is that of a class outside of the packages. */
  readonly inheritedFrom?: object
  readonly children?: readonly Reflection[]
  readonly signatures?: readonly Reflection[]
  readonly getSignature?: Reflection
  readonly type?: { readonly declaration?: Reflection }
}

interface BlockTag {
  readonly tag: string
  readonly content: readonly { readonly text: string }[]
}

/** Every example in the docstrings of what the packages export. What a package itself exports needs no import there. */
export function examplesOf(project: Reflection): readonly CodeBlock[] {
  return (project.children ?? []).flatMap((module) => {
    // A function and the namespace with its types share a name.
    const exported = [...new Set((module.children ?? []).map(({ name }) => name))]
    // Overloads repeat what the first says.
    const examples = new Map(
      walk(module).flatMap((each) => examplesIn(each).map((code) => [code, `${module.name}_${each.name}`] as const)),
    )
    return [...examples].map(([code, place]) => ({
      place,
      language: 'ts',
      code: `${importsFor(code, module.name, exported)}${code}`,
    }))
  })
}

function walk(reflection: Reflection): Reflection[] {
  const { children = [], signatures = [], getSignature, type } = reflection
  const within = [...children, ...signatures, getSignature, type?.declaration].filter((each) => each !== undefined)
  return [reflection, ...within.flatMap(walk)]
}

function examplesIn({ comment, inheritedFrom }: Reflection): string[] {
  if (inheritedFrom) return []
  const tags = comment?.blockTags?.filter(({ tag }) => tag === '@example') ?? []
  return tags.map(({ content }) => {
    const text = content.map((part) => part.text).join('')
    return /^```ts\n(.*)\n```$/s.exec(text.trim())?.[1] ?? text
  })
}

/** On the line before: the compiler's line numbers are off by none that matters. */
function importsFor(code: string, module: string, exported: readonly string[]): string {
  const used = exported.filter((name) => mentions(code, name) && !brings(code, name))
  return used.length > 0 ? `import { ${used.join(', ')} } from '${module}'; ` : ''
}

function mentions(code: string, name: string): boolean {
  return new RegExp(`(?<![.\\w$])${name}(?![\\w$])`).test(code)
}

/** Whether it imports or declares the name itself. */
function brings(code: string, name: string): boolean {
  return new RegExp(`(?:import\\b[^\\n]*|const |class )\\b${name}\\b(?! *\\()`).test(code)
}
