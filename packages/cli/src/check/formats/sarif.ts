import { createHash } from 'node:crypto'
import type { Log, ReportingDescriptor, Result } from 'sarif'
import manifest from '../../../package.json' with { type: 'json' }
import type { Diagnosis } from '../../doctor/diagnose.ts'
import type { Rule } from '../../doctor/rule.ts'
import { RULES } from '../../doctor/rules/index.ts'
import { HOME_PAGE, rulePage } from '../../output/documentation.ts'
import { translate } from '../../output/translate.ts'
import type { CheckReport } from '../check-report.ts'

/** SARIF 2.1.0, which code scanning reads: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function checkSarif({ findings, read }: CheckReport): Log {
  const found = RULES.filter(({ id }) => findings.some(({ rule }) => rule === id))
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'poolguard',
            informationUri: HOME_PAGE,
            version: manifest.version,
            rules: found.map(descriptor),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding, index) => {
          const before = findings.slice(0, index).filter((each) => keyOf(each) === keyOf(finding)).length
          return resultOf(finding, found, read, `${keyOf(finding)} ${before}`)
        }),
      },
    ],
  }
}

function descriptor({ id, title, severity }: Rule): ReportingDescriptor {
  return {
    id,
    name: id,
    shortDescription: { text: translate(title) },
    helpUri: rulePage(id),
    defaultConfiguration: { level: levelOf(severity) },
  }
}

function resultOf(
  { rule, severity, evidence, why, change, place, data }: Diagnosis,
  rules: readonly Rule[],
  read: readonly string[],
  identity: string,
): Result {
  // Code scanning shows only results with a file.
  const { file, line = 1 } = place ?? { file: read[0] ?? 'package.json' }
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levelOf(severity),
    message: { text: [evidence, why, change].join('\n') },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(file), uriBaseId: '%SRCROOT%' },
          region: { startLine: Math.max(1, line) },
        },
      },
    ],
    // The same finding keeps its identity when its numbers change.
    partialFingerprints: { 'poolguard/v1': createHash('sha256').update(identity).digest('hex').slice(0, 32) },
    properties: { data },
  }
}

function levelOf(severity: Diagnosis['severity']): 'error' | 'warning' {
  return severity === 'critical' ? 'error' : 'warning'
}

/** Findings of one rule in one file differ in their order. */
function keyOf({ rule, place }: Diagnosis): string {
  return `${rule} ${place?.file ?? ''}`
}
