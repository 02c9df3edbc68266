import type { Gap } from './label-use.ts'

/** Statements are cut to this length in sentences. */
const MAX_STATEMENT = 60

/** Leases of a label that are idle for long: averages, in milliseconds. */
export interface Waste {
  readonly label: string | null
  readonly leases: number
  readonly millis: number
  readonly statementMillis: number
  readonly usedShare: number
  readonly gap: Gap | undefined
  /** The line that acquires the connection. */
  readonly acquiredAt: string | null
}

export function describeTransaction(waste: Waste): string {
  return `${describeWaste(waste)}${describeGap(waste)} The transaction stays open meanwhile: do everything else before it begins or after it ends.`
}

export function describeIdle(waste: Waste): string {
  return `${describeWaste(waste)}${describeGap(waste)} No transaction is open: release the connection before you await anything but the database.`
}

export function describeCpu(waste: Waste): string {
  const { gap } = waste
  const blocked = gap
    ? ` The event loop of this process was busy for up to ${millis(gap.millis)}${placeOf(waste)}.`
    : ''
  return `${describeWaste(waste)}${blocked} Move synchronous work out of the time in which a connection is held, or into a worker thread.`
}

/** @param statement without literals. */
export function describeRepeats(found: {
  readonly label: string | null
  readonly statement: string
  readonly requests: number
  readonly most: number
  readonly site: string | null
}): string {
  const { label, statement, requests, most, site } = found
  return (
    `${caller(label)} runs ${quote(statement)} up to ${most} times in one request${calledFrom(site)} (${requests} ${requests === 1 ? 'request' : 'requests'}). ` +
    'Load the rows with one statement (a join, where id = any($1), or the include of your ORM).'
  )
}

export function describeAtOnce(found: {
  readonly label: string | null
  readonly most: number
  readonly requests: number
  readonly site: string | null
}): string {
  const { label, most, requests, site } = found
  return (
    `${caller(label)} takes ${most} connections at once for one request${calledFrom(site)} (${requests} ${requests === 1 ? 'request' : 'requests'}). ` +
    'Run the statements one after the other, or as one statement: Promise.all over queries multiplies the connections that each request needs.'
  )
}

function describeWaste({ label, millis: held, statementMillis, usedShare }: Waste): string {
  return (
    `${caller(label)} holds a connection for ${millis(held)} to run ${millis(statementMillis)} of statements: ` +
    `${Math.round(usedShare * 100)} % of this pool's time.`
  )
}

function describeGap(waste: Waste): string {
  return waste.gap ? ` Longest gap: ${millis(waste.gap.millis)}${placeOf(waste)}.` : ''
}

/** Between which statements, and the lines that send them. */
function placeOf({ gap, acquiredAt }: Waste): string {
  const after = gap?.after
  const until = gap?.until
  const from = after ? ` after ${quote(after.statement.text)}` : ' before the first statement'
  const beganAt = after ? after.site : (acquiredAt ?? undefined)
  const to = until ? `, until ${quote(until.statement.text)}` : ', until the release'
  const endedAt = until ? gap?.site : undefined
  if (endedAt === undefined || endedAt === beganAt) return `${from}${to}${calledFrom(beganAt ?? acquiredAt)}`
  return `${from}${beganAt ? ` (${beganAt})` : ''}${to}${calledFrom(endedAt)}`
}

function calledFrom(site: string | null | undefined): string {
  return site ? `, called from ${site}` : ''
}

function caller(label: string | null): string {
  return label === null ? 'Code without a label' : quote(label)
}

function quote(text: string): string {
  const shown = text.length > MAX_STATEMENT ? `${text.slice(0, MAX_STATEMENT - 1).trimEnd()}\u2026` : text
  return `\`${shown}\``
}

function millis(value: number): string {
  if (value >= 1_000) return `${Number((value / 1_000).toFixed(1))} s`
  return value >= 1 ? `${Math.round(value)} ms` : 'less than 1 ms'
}
