import { ConnectionStringError } from '@poolguard/core'
import fc from 'fast-check'
import type { FuzzTarget } from '../fuzz-target.ts'
import { DRIVER_DIFFERENCES, DRIVERS, type DriverName, type DriverTarget } from './driver-differences.ts'
import { loadLibpq } from './libpq.ts'
import { compare, relationOf } from './libpq-differences.ts'
import type { Target } from './readings.ts'
import { connectionStrings } from './texts.ts'

/** The drivers read other characters by the rules of `new URL`, which change, remove or reject them. */
const PLAIN_URL = /^postgres(?:ql)?:\/\/[\w.~%:@/,[\]!$&'()*+;=?-]*$/
const ENCODED_NAME = /[?&][^=&]*%/

export const driversTarget: FuzzTarget = {
  name: 'drivers',
  claim:
    'a URL that libpq and poolguard read the same means the same for pg and postgres.js, apart from the listed differences',
  cases: 20_000,
  matrixCases: 1_000_000,
  async prepare() {
    const readByLibpq = await loadLibpq()
    const counts = { same: 0, listed: 0, 'rejected by the driver': 0 }
    const property = fc.property(connectionStrings, (text) => {
      if (!PLAIN_URL.test(text) || ENCODED_NAME.test(text)) return
      const comparison = compare(text, readByLibpq)
      const { ours } = comparison
      if (ours instanceof ConnectionStringError || relationOf(comparison, readByLibpq) !== 'same') return
      for (const driver of Object.keys(DRIVERS) as DriverName[]) {
        const theirs = readBy(driver, text)
        if (!theirs) counts['rejected by the driver']++
        else if (isSameTarget(ours, theirs)) counts.same++
        else if (DRIVER_DIFFERENCES.some((each) => each.driver === driver && each.pattern.test(text))) counts.listed++
        else throw new Error(`${driver}: ${JSON.stringify({ text, ours, theirs })}`)
      }
    })
    return { property, counts }
  },
}

/** How a driver reads a text; undefined if the driver rejects it. */
export function readBy(driver: DriverName, text: string): DriverTarget | undefined {
  try {
    return DRIVERS[driver](text)
  } catch {
    return undefined
  }
}

/** An absent port is the default port, and an absent database is the user's, because postgres.js fills them in. */
export function isSameTarget(ours: Target, theirs: DriverTarget): boolean {
  const withoutDefault = ({ user, database }: DriverTarget): string => (database === user ? '' : database)
  const withPorts = (hosts: string): string => hosts.replaceAll(/ (?=,|$)/g, ' 5432')
  return (
    ours.user === theirs.user &&
    ours.password === theirs.password &&
    withoutDefault(ours) === withoutDefault(theirs) &&
    withPorts(ours.hosts) === withPorts(theirs.hosts)
  )
}
