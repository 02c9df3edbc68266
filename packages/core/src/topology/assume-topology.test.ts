import { expect, test } from 'vitest'
import { parseConnectionString } from '../connection-string/index.ts'
import { assumeTopology } from './assume-topology.ts'
import { keepsSession } from './topology.ts'

test.each<[url: string, mode: string | undefined]>([
  ['postgresql://ep-cool-1-pooler.eu-central-1.aws.neon.tech/x', 'transaction'],
  ['postgresql://aws-0-eu-central-1.pooler.supabase.com:6543/x', 'transaction'],
  ['postgresql://aws-0-eu-central-1.pooler.supabase.com:5432/x', 'session'],
  ['postgresql://db:6432/x', 'transaction'],
  ['postgresql://ep-cool-1.eu-central-1.aws.neon.tech/x', undefined],
  ['postgresql://db/x', undefined],
])('the assumed mode of %s is %s, and is not proven', (url, mode) => {
  const topology = assumeTopology(parseConnectionString(url))
  expect(topology?.pooler.mode).toBe(mode)
  if (!topology) return
  expect(topology).toMatchObject({ preparedStatements: 'unknown', pooler: { proven: false } })
  expect(topology.evidence).toEqual([expect.stringMatching(/^assumed from the address: .+ \(https:/)])
  expect(keepsSession(topology)).toBe(false)
})
