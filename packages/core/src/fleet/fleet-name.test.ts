import { expect, test } from 'vitest'
import { type FleetName, readFleetName } from './fleet-name.ts'
import { encodeMemberName } from './member-name.ts'
import { pooledName } from './pooled-name.ts'

const published = encodeMemberName('orders#3f9a1b', { target: 8, demand: 12, floor: 2, sequence: 57 })

test.each<[name: string, fleet: FleetName | undefined]>([
  ['orders#3f9a1b', { app: 'orders', instance: 'orders#3f9a1b' }],
  [published, { app: 'orders', instance: 'orders#3f9a1b' }],
  [pooledName('orders#3f9a1b'), { app: 'orders', instance: undefined }],
  ['orders', undefined],
  ['orders#instance', undefined],
  ['', undefined],
])('given %j, then its fleet is %j', (name, fleet) => {
  expect(readFleetName(name)).toEqual(fleet)
})
