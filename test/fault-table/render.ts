import type { Fault } from './fault.ts'
import type { Stack } from './stack.ts'
import { type Verdict, wordFor } from './verdict.ts'

export interface TableCell {
  readonly fault: string
  readonly stack: string
  /** Undefined if the stack's API does not allow the fault. */
  readonly verdict: Verdict | undefined
}

/** Totals of a stack over all faults. */
export interface Summary {
  readonly crashes: number
  readonly hangs: number
  readonly lost_commits: number
  readonly torn_writes: number
  readonly leaked_connections: number
  readonly unclear_errors: number
  readonly not_recovered: number
  readonly median_recovery_millis: number | null
}

export function summaryOf(cells: readonly TableCell[], stacks: readonly Stack[]): Record<string, Summary> {
  return Object.fromEntries(stacks.map(({ name }) => [name, summarize(cells.filter(({ stack }) => stack === name))]))
}

function summarize(cells: readonly TableCell[]): Summary {
  const verdicts = cells.flatMap(({ verdict }) => verdict ?? [])
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  const recoveries = verdicts.flatMap(({ recoveryMillis }) => recoveryMillis ?? []).sort((a, b) => a - b)
  return {
    crashes: sum(({ crashes }) => crashes),
    hangs: sum(({ hangs }) => hangs),
    lost_commits: sum(({ lostCommits }) => lostCommits),
    torn_writes: sum(({ tornWrites }) => tornWrites),
    leaked_connections: sum(({ leakedConnections }) => leakedConnections),
    unclear_errors: new Set(verdicts.flatMap(({ unclearErrors }) => unclearErrors)).size,
    not_recovered: verdicts.filter(({ recoveryMillis }) => recoveryMillis === null).length,
    median_recovery_millis: recoveries[Math.floor(recoveries.length / 2)] ?? null,
  }
}

export function tableOf(cells: readonly TableCell[], faults: readonly Fault[], stacks: readonly Stack[]): string {
  const byName = new Map(cells.map((cell) => [`${cell.fault} ${cell.stack}`, cell]))
  const word = (fault: Fault, stack: Stack) => {
    const cell = byName.get(`${fault.id} ${stack.name}`)
    if (!cell) return ''
    return cell.verdict ? wordFor(cell.verdict) : '–'
  }
  return [
    `| Fault | ${stacks.map(({ name }) => name).join(' | ')} |`,
    `| --- |${stacks.map(() => ' --- |').join('')}`,
    ...faults.map((fault) => {
      const title = fault.imitated ? `${fault.title} (imitated: ${fault.imitated})` : fault.title
      return `| ${title} | ${stacks.map((stack) => word(fault, stack)).join(' | ')} |`
    }),
  ].join('\n')
}

const INTRODUCTION = `# What happens when it goes wrong

Each fault was caused on real servers while an app wrote and read through its stack: eight callers on at most four connections. Afterwards the rows
in the table were compared with the writes whose commit the app had seen.

| Word        | What it means                                                                                       |
| ----------- | --------------------------------------------------------------------------------------------------- |
| ok          | the process lives, every caller got an answer, nothing is lost, and every error has a code           |
| crash       | the process ended                                                                                   |
| lost n      | n writes were reported as committed and are not in the table                                        |
| torn n      | n transactions left one of their two rows, or a write was done twice                                |
| hang        | a caller, or the end of the pool, got no answer within 15 s after the fault                         |
| dead        | no write succeeded within 15 s after the fault                                                      |
| leak n      | n connections cannot be borrowed any more, or stay on the server after the pool has ended           |
| unclear     | an error has no code, neither its own nor one of a cause: a program can only compare its text       |
| –           | the stack's API does not allow the fault                                                            |

The worst word is shown. \`pnpm faults\` repeats it all, \`pnpm faults --fault half-open --stack pg.Pool\` one cell; the sources are in
[test/fault-table](../test/fault-table). "pg.Pool, advised" has what guides recommend: timeouts, keepalive, a lifetime and an error listener.
`

/** The page docs/faults.md. */
export function markdownOf(
  cells: readonly TableCell[],
  faults: readonly Fault[],
  stacks: readonly Stack[],
  { date, versions }: { readonly date: string; readonly versions: string },
): string {
  return [
    INTRODUCTION,
    `${date}; ${versions}.\n`,
    '## Totals\n',
    totalsOf(summaryOf(cells, stacks)),
    '\n## All faults\n',
    tableOf(cells, faults, stacks),
    '\n## Errors without a code\n',
    unclearErrorsOf(cells, stacks),
  ].join('\n')
}

function totalsOf(summaries: Record<string, Summary>): string {
  const [first] = Object.values(summaries)
  const keys = Object.keys(first ?? {}) as (keyof Summary)[]
  return [
    `| Stack | ${keys.map((key) => key.replaceAll('_', ' ')).join(' | ')} |`,
    `| --- |${keys.map(() => ' ---: |').join('')}`,
    ...Object.entries(summaries).map(
      ([name, summary]) => `| ${name} | ${keys.map((key) => summary[key] ?? '–').join(' | ')} |`,
    ),
  ].join('\n')
}

function unclearErrorsOf(cells: readonly TableCell[], stacks: readonly Stack[]): string {
  return stacks
    .map(({ name }) => {
      const texts = cells.filter(({ stack }) => stack === name).flatMap(({ verdict }) => verdict?.unclearErrors ?? [])
      const distinct = [...new Set(texts)].slice(0, 12).map((text) => `\`${text.replaceAll('`', "'").slice(0, 120)}\``)
      return `- **${name}**: ${distinct.join(', ') || 'none'}`
    })
    .join('\n')
}
