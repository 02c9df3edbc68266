import { InvalidArgumentError, Option } from 'commander'
import { t } from '../output/translate.ts'

/** `--show-queries=no` hides the texts of queries, which may hold data. */
export function showQueriesOption(): Option {
  return new Option('--show-queries <yes|no>', 'show the beginning of queries, which may hold data')
    .argParser(readYesOrNo)
    .default(true, 'yes')
}

function readYesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes'
  throw new InvalidArgumentError(t`Allowed are yes and no.`)
}
