import { expect, test } from 'vitest'
import { membersOf } from './sources.ts'
import { codeIn, tableRows } from './tables.ts'

const fields = tableRows('docs/json.md').filter(({ cells }) => 'Field' in cells)

/** By the heading of the table. */
const INTERFACES: readonly (readonly [heading: string, members: readonly string[]])[] = [
  ['Finding', [...membersOf('cli', 'Diagnosis'), ...membersOf('cli', 'Finding')]],
  ['Budget', membersOf('core', 'Budget')],
  ['Sizing', membersOf('core', 'Sizing')],
  ['Check', membersOf('cli', 'Check')],
  ['LoadResult', [...membersOf('cli', 'Figures'), ...membersOf('cli', 'LoadResult')]],
  ['Sample', membersOf('cli', 'Sample')],
  ['ApplicationCount', membersOf('cli', 'ApplicationCount')],
  ['Missed', membersOf('cli', 'Missed')],
  ['Alert', membersOf('cli', 'Alert')],
  ['Proposal', membersOf('cli', 'Proposal')],
  ['PoolSnapshot', membersOf('core', 'PoolSnapshot')],
  ['PoolStats', membersOf('core', 'PoolStats')],
  ['FleetSnapshot', membersOf('core', 'FleetSnapshot')],
  ['WalSnapshot', membersOf('core', 'WalSnapshot')],
]

test.each(INTERFACES)('the fields of %s are those of the code', (heading, members) => {
  const shown = fields.filter((row) => row.heading === heading).map(({ cells }) => codeIn(cells.Field))
  expect(shown.toSorted()).toEqual(members.toSorted())
})

test('every table of fields is compared with an interface', () => {
  const compared = new Set(INTERFACES.map(([heading]) => heading))
  expect(fields.map(({ heading }) => heading).filter((heading) => !compared.has(heading))).toEqual([])
})
