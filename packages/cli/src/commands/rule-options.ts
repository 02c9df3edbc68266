import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Severity } from '../doctor/rule.ts'
import { RULES } from '../doctor/rules/index.ts'
import { t } from '../output/translate.ts'
import { wholeFrom } from '../read-number.ts'

/** The options of a command that reports the findings of rules. */
export interface RuleOptions {
  readonly failOn: Severity
  readonly ignore?: readonly string[]
  readonly cores?: number
}

/** Adds `--fail-on`, `--ignore`, and `--cores` for the rule that needs them. */
export function withRuleOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 for findings of this severity or worse')
        .choices(['critical', 'warning'])
        .default('warning'),
    )
    .option('--ignore <rule>', 'leave out the findings of this rule (repeatable)', addRule)
    .option('--cores <number>', 'CPU cores of the server, which it does not report', wholeFrom(1))
}

/** Adds the id of a rule to those of a repeatable option. */
function addRule(id: string, rules: readonly string[] = []): readonly string[] {
  if (RULES.some((rule) => rule.id === id)) return [...rules, id]
  throw new InvalidArgumentError(t`There is no such rule. The rules: ${RULES.map((rule) => rule.id).join(', ')}.`)
}
