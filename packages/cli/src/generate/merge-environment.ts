import { MARK } from './generated-file.ts'

const KEY = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/

/**
 * Adds generated variables to an existing `.env` file. Its lines stay. A variable that it has already keeps its value; a
 * different value is added as a comment. Adding the same variables again changes nothing.
 */
export function mergeEnvironment(existing: string, generated: string): string {
  const lines = existing.split(/\r?\n/)
  const keys = new Set(lines.map((line) => KEY.exec(line)?.[1]))
  const added = blocksOf(generated).flatMap(({ comments, key, line }) => {
    if (lines.includes(line) || lines.includes(`# ${line}`)) return []
    // An empty value asks for one, and the file has one.
    if (keys.has(key) && line.endsWith('=')) return []
    return [[...comments, keys.has(key) ? `# ${line}` : line].join('\n')]
  })
  if (added.length === 0) return existing
  const [head] = generated.split('\n')
  const title = head?.startsWith(`# ${MARK}`) ? head.replace(' The plan:', '') : `# ${MARK}\``
  const addition = `\n\n${title}\n${added.join('\n\n')}\n`
  return existing.trimEnd() + (existing.includes('\r\n') ? addition.replaceAll('\n', '\r\n') : addition)
}

interface Block {
  readonly comments: readonly string[]
  readonly key: string
  readonly line: string
}

/** Variables, each with the comments directly above it. */
function blocksOf(text: string): readonly Block[] {
  let comments: string[] = []
  const blocks: Block[] = []
  for (const line of text.split('\n')) {
    const key = KEY.exec(line)?.[1]
    if (line.startsWith('#')) comments.push(line)
    else {
      if (key !== undefined) blocks.push({ comments, key, line })
      comments = []
    }
  }
  return blocks
}
