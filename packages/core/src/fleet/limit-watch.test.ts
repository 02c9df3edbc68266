import { describe, expect, test } from 'vitest'
import { type Doubt, LimitWatch } from './limit-watch.ts'
import type { Reckoned, Reckoning } from './reckon.ts'

/** Instances are looked at twice in an interval of 1,000 ms. */
const LOOK_MILLIS = 500

interface Figures {
  readonly name?: string
  readonly open: number
  readonly share: number
  readonly claim: number
}

function reckoned({ name = 'a#000001', open, share, claim }: Figures): Reckoned {
  const publication = { target: claim, demand: claim, floor: 1, sequence: 1 }
  return { member: { name, role: 'app', ownRole: true, ownDatabase: true, open, publication, claim }, share, claim }
}

function reckoningOf(figures: readonly Figures[], unclaimed = 0): Reckoning {
  const self = reckoned({ name: 'me#000000', open: 1, share: 1, claim: 1 })
  const others = figures.map(reckoned)
  return { budget: 100, members: [...others, self], others, self, wanted: 200, unclaimed, foreign: 0 }
}

function givenWatch() {
  let now = 0
  const doubts: Doubt[] = []
  const watch = new LimitWatch({
    clock: { now: () => now },
    intervalMillis: 1_000,
    onDoubt: (each) => doubts.push(each),
  })
  /** Looks once, and returns whether the doubts have changed. */
  const look = (at: number, figures: readonly Figures[], { unclaimed = 0, awaited = [] as string[] } = {}) => {
    now = at
    return watch.observe(reckoningOf(figures, unclaimed), awaited)
  }
  /** Looks again and again, and returns when the doubts have changed. */
  const watchFor = (
    until: number,
    figuresAt: (at: number) => readonly Figures[],
    more?: Parameters<typeof look>[2],
  ) => {
    const changes: number[] = []
    for (let at = now === 0 ? 0 : now + LOOK_MILLIS; at <= until; at += LOOK_MILLIS) {
      if (look(at, figuresAt(at), more)) changes.push(at)
    }
    return changes
  }
  return { watch, doubts, look, watchFor }
}

describe('an instance that leaves connections unused for three intervals', () => {
  test('that it has claimed: only those that it has open count, and the doubt is reported once', () => {
    const { watch, doubts, watchFor } = givenWatch()
    expect(watchFor(4_000, () => [{ open: 2, share: 8, claim: 10 }])).toEqual([3_000])

    expect([...watch.doubts.claimCaps]).toEqual([['a#000001', 2]])
    expect([...watch.doubts.requestCaps]).toEqual([['a#000001', 2]])
    expect(doubts).toEqual([{ kind: 'unused', member: 'a#000001', role: 'app', open: 2, claimed: 10 }])
  })

  test('that are only reserved for it: its requests count no more, if connections are free', () => {
    const reserved = [{ open: 2, share: 8, claim: 2 }]
    const { watch, doubts, watchFor } = givenWatch()
    expect(watchFor(3_000, () => reserved, { unclaimed: 1 })).toEqual([3_000])
    expect([watch.doubts.claimCaps.size, [...watch.doubts.requestCaps]]).toEqual([0, [['a#000001', 2]]])
    expect(doubts).toMatchObject([{ kind: 'unused', claimed: 8 }])

    expect(givenWatch().watchFor(9_000, () => reserved)).toEqual([])
  })

  test('is no doubt while it uses them, or has left a part of an interval ago', () => {
    expect(givenWatch().watchFor(9_000, () => [{ open: 8, share: 8, claim: 8 }], { unclaimed: 5 })).toEqual([])
    const gone = (at: number) => (at === 2_500 ? [] : [{ open: 2, share: 2, claim: 10 }])
    expect(givenWatch().watchFor(5_500, gone)).toEqual([])
  })

  test('is another doubt than one about another instance', () => {
    const { watch, watchFor, look } = givenWatch()
    const a = { open: 2, share: 8, claim: 10 }
    const b = { name: 'b#000002', open: 2, share: 8, claim: 10 }
    watchFor(3_000, (at) => (at === 0 ? [a] : [a, b]))
    expect([...watch.doubts.claimCaps.keys()]).toEqual(['a#000001'])
    expect(look(3_500, [b])).toBe(true)
    expect([...watch.doubts.claimCaps.keys()]).toEqual(['b#000002'])
  })

  test('is doubted anew if it leaves others unused', () => {
    const { watch, look, watchFor } = givenWatch()
    watchFor(3_000, () => [{ open: 2, share: 8, claim: 10 }])
    expect(look(3_500, [{ open: 3, share: 8, claim: 10 }])).toBe(true)
    expect(watch.doubts.claimCaps.size).toBe(0)
    expect(watchFor(6_500, () => [{ open: 3, share: 8, claim: 10 }])).toEqual([6_500])
    expect([...watch.doubts.claimCaps]).toEqual([['a#000001', 3]])
  })
})

describe('claims far above the shares, each of an instance that was not there before', () => {
  const claims = (claim: number) => (at: number) => [
    { name: `x#${String(at).padStart(6, '0')}`, open: 5, share: 5, claim },
    { name: 'calm#000001', open: 3, share: 4, claim: 4 },
  ]

  test('are no doubt if together they exceed the shares by less than half of the connections', () => {
    const { watch, doubts, watchFor } = givenWatch()
    watchFor(9_000, claims(54))
    expect(watch.doubts.limitClaims).toBe(false)
    expect(doubts.filter(({ kind }) => kind === 'overclaimed')).toEqual([])
  })

  test('are no doubt if there were none in between, or for two intervals no look', () => {
    const interrupted = givenWatch()
    interrupted.watchFor(9_000, (at) => (at === 4_000 ? [] : claims(60)(at)))
    expect(interrupted.watch.doubts.limitClaims).toBe(false)
    interrupted.watchFor(10_500, claims(60))
    expect(interrupted.watch.doubts.limitClaims).toBe(true)

    const paused = givenWatch()
    paused.watchFor(5_000, claims(60))
    paused.look(7_001, claims(60)(7_001))
    expect(paused.watch.doubts.limitClaims).toBe(false)
  })

  test('end with the last of them', () => {
    const { watch, watchFor, look } = givenWatch()
    watchFor(6_000, claims(60))
    expect(look(6_500, [])).toBe(true)
    expect(watch.doubts.limitClaims).toBe(false)
  })
})

describe('connections to the console that instances are about to open', () => {
  test('count no longer after three intervals', () => {
    const { watch, look } = givenWatch()
    for (let at = 0; at < 3_000; at += 1_000) expect(look(at, [], { awaited: ['a#000001'] })).toBe(false)
    expect(look(3_000, [], { awaited: ['a#000001', 'b#000002'] })).toBe(true)
    expect(watch.doubts.overdue).toBe(1)
    expect(look(3_500, [], { awaited: ['b#000002'] })).toBe(true)
    expect(watch.doubts.overdue).toBe(0)
  })

  test('count again after a pause of more than two intervals', () => {
    const { watch, look } = givenWatch()
    look(0, [], { awaited: ['a#000001'] })
    look(2_000, [], { awaited: ['a#000001'] })
    look(4_001, [], { awaited: ['a#000001'] })
    expect(watch.doubts.overdue).toBe(0)
    look(6_000, [], { awaited: ['a#000001'] })
    look(7_001, [], { awaited: ['a#000001'] })
    expect(watch.doubts.overdue).toBe(1)
  })
})

test('an instance that gives no connection back for three intervals keeps them, and after a pause it is watched anew', () => {
  const { watch, look, watchFor } = givenWatch()
  expect(watchFor(3_000, () => [{ open: 8, share: 5, claim: 8 }])).toEqual([3_000])
  expect([...watch.doubts.keepers]).toEqual(['a#000001'])
  expect(look(5_001, [{ open: 8, share: 5, claim: 8 }])).toBe(true)
  expect(watch.doubts.keepers.size).toBe(0)
})
