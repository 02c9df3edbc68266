import Table from 'cli-table3'
import { printFinding } from '../../doctor/doctor-outcome.ts'
import { wrapBehind } from '../../output/layout.ts'
import { paint } from '../../output/paint.ts'
import { t } from '../../output/translate.ts'
import { describeLimit, describePool } from '../../sum/describe-sum.ts'
import type { ConnectionSum, SumRow } from '../../sum/sum-connections.ts'
import type { CheckedSum, CheckReport } from '../check-report.ts'

/** For people: a table for each deployment, the findings, and what was read and assumed. */
export function checkText({ sums, findings, read, ignored, exitCode, verdict }: CheckReport): string {
  return [
    ...sums.flatMap(describeSum),
    ...findings.flatMap(printFinding),
    wrapBehind('', paint(exitCode === 0 ? 'green' : 'red', verdict)),
    '',
    ...describeSources(read, ignored),
  ].join('\n')
}

function describeSum({ sum, limit }: CheckedSum): readonly string[] {
  const bound = limit ? t`${describeLimit(limit)}` : t`max_connections is unknown`
  return [
    paint('bold', sum.deployment.name),
    sumTable(sum),
    wrapBehind('', t`At most ${sum.total} connections; ${bound}.`),
    ...sum.assumed.map((each) => wrapBehind('  ', each)),
    '',
  ]
}

/** One row for each workload, the pools one below the other. */
function sumTable({ rows, poolers, total }: ConnectionSum): string {
  const table = new Table({
    head: [t`workload`, t`processes at most`, t`pools of each process`, t`connections`],
    colAligns: ['left', 'right', 'left', 'right'],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: NO_BORDERS,
  })
  for (const row of rows) {
    table.push([
      row.workload.kind === 'service' ? row.workload.name : `${row.workload.name} [${row.workload.kind}]`,
      describeProcesses(row),
      row.pools.map((pool) => describePool(pool, true)).join('\n'),
      row.through === undefined ? String(row.connections) : t`${row.connections} to ${row.through}`,
    ])
  }
  for (const { name, processes, settings, connections } of poolers) {
    table.push([name, String(processes), settings.source, String(connections)])
  }
  table.push([t`together`, '', '', String(total)])
  return table
    .toString()
    .split('\n')
    .map((line) => `  ${line.trimEnd()}`)
    .join('\n')
}

/** `6`, `(20 + 5) x 2`: instances, surge, processes of each. */
export function describeProcesses({ workload: { instances, surge, processes } }: SumRow): string {
  const most = instances.most.value
  const running = surge.value > 0 ? `${most} + ${surge.value}` : `${most}`
  if (processes.value === 1) return running
  return `${surge.value > 0 ? `(${running})` : running} x ${processes.value}`
}

function describeSources(read: readonly string[], ignored: readonly string[]): readonly string[] {
  return [
    read.length > 0
      ? wrapBehind('', t`Read: ${read.join(', ')}.`)
      : wrapBehind('', t`Read: no deployment file, only the sources.`),
    ...(ignored.length > 0 ? [wrapBehind('', t`Ignored: ${ignored.join(', ')}.`)] : []),
  ]
}

const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
}
