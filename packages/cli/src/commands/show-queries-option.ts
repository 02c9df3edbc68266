import { InvalidArgumentError, Option } from 'commander'

/** `--show-queries=no` hides the texts of queries, which may hold data. */
export function showQueriesOption(): Option {
  return new Option('--show-queries <yes|no>', 'show the beginning of queries, which may hold data')
    .argParser(readYesOrNo)
    .default(true, 'yes')
}

function readYesOrNo(text: string): boolean {
  if (text === 'yes' || text === 'no') return text === 'yes'
  throw new InvalidArgumentError('Allowed are yes and no.')
}
