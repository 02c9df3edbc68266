import type { Fault } from './fault.ts'
import { ENGLISH, type PageTexts } from './page-texts.ts'
import type { Stack } from './stack.ts'
import { type Summary, summaryOf, type TableCell } from './summary.ts'
import { wordFor } from './verdict.ts'

export function tableOf(
  cells: readonly TableCell[],
  faults: readonly Fault[],
  stacks: readonly Stack[],
  texts: PageTexts = ENGLISH,
): string {
  const byName = new Map(cells.map((cell) => [`${cell.fault} ${cell.stack}`, cell]))
  const word = (fault: Fault, stack: Stack) => {
    const cell = byName.get(`${fault.id} ${stack.name}`)
    if (!cell) return ''
    return cell.verdict ? wordFor(cell.verdict) : '–'
  }
  return [
    `| ${texts.fault} | ${stacks.map(({ name }) => name).join(' | ')} |`,
    `| --- |${stacks.map(() => ' --- |').join('')}`,
    ...faults.map((fault) => `| ${texts.titleOf(fault)} | ${stacks.map((stack) => word(fault, stack)).join(' | ')} |`),
  ].join('\n')
}

export interface PageFacts {
  readonly date: string
  readonly versions: string
}

/** The page faults.md in one language. */
export function markdownOf(
  cells: readonly TableCell[],
  faults: readonly Fault[],
  stacks: readonly Stack[],
  { date, versions }: PageFacts,
  texts: PageTexts,
): string {
  return [
    texts.introduction,
    `${date}; ${versions}.\n`,
    `## ${texts.totals}\n`,
    totalsOf(summaryOf(cells, stacks), texts),
    `\n## ${texts.allFaults}\n`,
    tableOf(cells, faults, stacks, texts),
    `\n## ${texts.errorsWithoutCode}\n`,
    unclearErrorsOf(cells, stacks, texts),
  ].join('\n')
}

function totalsOf(summaries: Record<string, Summary>, { stack, columns }: PageTexts): string {
  const keys = Object.keys(columns) as (keyof Summary)[]
  return [
    `| ${stack} | ${keys.map((key) => columns[key]).join(' | ')} |`,
    `| --- |${keys.map(() => ' ---: |').join('')}`,
    ...Object.entries(summaries).map(
      ([name, summary]) => `| ${name} | ${keys.map((key) => summary[key] ?? '–').join(' | ')} |`,
    ),
  ].join('\n')
}

function unclearErrorsOf(cells: readonly TableCell[], stacks: readonly Stack[], { none }: PageTexts): string {
  return stacks
    .map(({ name }) => {
      const found = cells.filter(({ stack }) => stack === name).flatMap(({ verdict }) => verdict?.unclearErrors ?? [])
      const distinct = [...new Set(found)].slice(0, 12).map((text) => `\`${text.replaceAll('`', "'").slice(0, 120)}\``)
      return `- **${name}**: ${distinct.join(', ') || none}`
    })
    .join('\n')
}
