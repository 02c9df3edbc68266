import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import guide from './guide.json' with { type: 'json' }

/** The names of the parts, as an argument: `prisma`, `next.js`. */
const PART_NAMES = guide.parts.flatMap(({ title }) => namesOf(title))

/**
 * The guide, or the part of it that has this name.
 *
 * @throws {CannotRunError} if no part has this name.
 */
export function guideText(name?: string): string {
  if (name === undefined) return [guide.introduction, ...guide.parts.map(({ text }) => text)].join('\n\n')
  const part = guide.parts.find(({ title }) => namesOf(title).some((each) => comparable(each) === comparable(name)))
  if (part) return part.text
  throw new CannotRunError(
    t`The guide has no part "${name}". Its parts: ${PART_NAMES.join(', ')}. Without a name, agent-guide prints all of them.`,
  )
}

/** A part about several frameworks has the name of each. */
function namesOf(title: string): string[] {
  return title.split(', ').map((each) => each.toLowerCase().replaceAll(' ', '-'))
}

/** `Next.js`, `nextjs` and `next` are the same. */
function comparable(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
    .replace(/js$/, '')
}
