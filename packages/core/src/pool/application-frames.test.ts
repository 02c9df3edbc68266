import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { captureTrace, findApplicationFrames, findCallSite, registerOwnCode } from './application-frames.ts'

const traceOf = (...frames: string[]) => ({ stack: `Error\n${frames.map((frame) => `    at ${frame}`).join('\n')}` })

describe('the frames of an application', () => {
  registerOwnCode(traceOf('file:///srv/poolguard/packages/pg/src/guarded-pool.ts:3:1') as Error, 'pg')
  registerOwnCode(
    traceOf('Object.<anonymous> (C:\\srv\\poolguard\\packages\\typeorm\\dist\\index.cjs:3:1)') as Error,
    'typeorm',
  )
  registerOwnCode(traceOf('file:///srv/app/dist/chunks/vendor-1a2b.js:1:9000') as Error, 'pg')

  test.each([
    'handler (/app/src/routes.ts:31:18)',
    'async handler (file:///app/src/routes.ts:31:18)',
    'file:///app/src/routes.ts:31:18',
    'async /app/src/routes.ts:31:18',
    'Orders.export [as run] (/app/(shop)/page.tsx:3:1)',
    'new Export (C:\\app\\src\\export.ts:41:29)',
    'async Promise.all (/app/src/all.ts:1:1)',
    'webpack-internal:///(rsc)/./src/db.ts:10:5',
    'eval (eval at run (/app/src/run.ts:1:1), <anonymous>:1:1)',
    'handler (file:///srv/poolguard/packages/pg/README.ts:1:1)',
    'handler (file:///srv/app/dist/chunks/app-3c4d.js:1:10)',
    'pg/src (/app/pg/source.ts:1:1)',
  ])('include %s', (frame) => {
    expect(findApplicationFrames([traceOf('run (node:events:1:1)', frame)])).toBe(`    at ${frame}`)
  })

  test.each([
    [
      'of poolguard, linked into a workspace',
      'GuardedPool.query (file:///srv/poolguard/packages/pg/src/guarded-pool.ts:122:31)',
    ],
    ['of poolguard, on Windows', 'guard (C:\\srv\\poolguard\\packages\\typeorm\\dist\\index.cjs:90:1)'],
    ['of poolguard, in a chunk of a bundle', 'a.query (file:///srv/app/dist/chunks/vendor-1a2b.js:1:12345)'],
    ['of a package', 'Runner.query (/app/node_modules/typeorm/driver/postgres/PostgresQueryRunner.js:178:38)'],
    [
      'of a package of pnpm',
      'file:///app/node_modules/.pnpm/drizzle-orm@0.45.4_pg@8/node_modules/drizzle-orm/session.js:113:33',
    ],
    ['of a package on Windows', 'async Runner.query (C:\\app\\node_modules\\typeorm\\driver.js:178:38)'],
    ['of a package in a bundle', 'webpack-internal:///(rsc)/./node_modules/drizzle-orm/session.js:10:5'],
    ['of Node', 'process.processTicksAndRejections (node:internal/process/task_queues:104:5)'],
    ['of Node, awaiting', 'async node:internal/modules/esm/loader:647:26'],
    ['of a built-in function', 'new Promise (<anonymous>)'],
    ['of Promise.all', 'async Promise.all (index 0)'],
  ])('do not include one %s', (_what, frame) => {
    expect(findApplicationFrames([traceOf(frame, 'handler (/app/src/routes.ts:31:18)')])).toBe(
      '    at handler (/app/src/routes.ts:31:18)',
    )
  })

  test('come from the first stack that has any; without any, the first stack is unchanged', () => {
    const ofPackage = 'Runner.query (/app/node_modules/typeorm/driver.js:178:38)'
    expect(findApplicationFrames([traceOf(ofPackage), traceOf(ofPackage, 'handler (/app/a.ts:1:1)')])).toBe(
      '    at handler (/app/a.ts:1:1)',
    )
    expect(findApplicationFrames([traceOf(ofPackage), undefined])).toBe(`    at ${ofPackage}`)
    expect(findApplicationFrames([{ stack: [{}] as unknown as string }])).toBeNull()
  })
})

describe('the place of a call', () => {
  const here = process.cwd()

  test.each([
    [`handler (${here}/src/routes.ts:31:18)`, 'src/routes.ts:31'],
    [`async handler (${pathToFileURL(here)}/src/routes.ts:31:18)`, 'src/routes.ts:31'],
    [`${pathToFileURL(here)}/src/routes.ts:31:18`, 'src/routes.ts:31'],
    [`handler (${here}-old/src/routes.ts:31:18)`, `${here}-old/src/routes.ts:31`],
    ['handler (/elsewhere/routes.ts:31:18)', '/elsewhere/routes.ts:31'],
    ['handler (file:///elsewhere/a%20b.ts:31:18)', '/elsewhere/a b.ts:31'],
    ['handler (file:///elsewhere/a%2Fb.ts:31:18)', 'file:///elsewhere/a%2Fb.ts:31'],
    ['webpack-internal:///(rsc)/./src/db.ts:10:5', 'webpack-internal:///(rsc)/./src/db.ts:10'],
  ])('of %s is %s', (frame, place) => {
    const ofPackage = traceOf('Runner.query (/app/node_modules/typeorm/driver.js:178:38)')
    expect(findCallSite([undefined, ofPackage, traceOf('run (node:events:1:1)', frame)])).toBe(place)
  })

  test('is unknown if no stack has a frame of the application', () => {
    expect(findCallSite([undefined, traceOf('run (node:events:1:1)'), {}])).toBeUndefined()
  })
})

test('the whole first stack has no more than 16 frames, and no line that is not a frame', () => {
  const ofPackage = Array.from({ length: 20 }, (_, i) => `run (/app/node_modules/a/${i}.js:1:1)`)
  const stack = `Error: a message\nthat looks at things\n${traceOf(...ofPackage).stack}`
  const shown = findApplicationFrames([{ stack }])?.split('\n')

  expect(shown).toHaveLength(16)
  expect(shown?.[0]).toBe('    at run (/app/node_modules/a/0.js:1:1)')
})

describe('a trace', () => {
  const limit = Error.stackTraceLimit
  afterEach(() => {
    Error.stackTraceLimit = limit
  })

  test.each([0, 1, 10, Infinity])(
    'reaches the caller through 30 frames, and leaves the limit %d unchanged',
    (given) => {
      Error.stackTraceLimit = given
      const within = (depth: number): string | undefined => (depth > 0 ? within(depth - 1) : captureTrace(within).stack)
      const stack = (function theApplication() {
        const deep = (depth: number): string | undefined => (depth > 0 ? deep(depth - 1) : within(0))
        return deep(30)
      })()
      expect(stack).toContain('theApplication')
      expect(Error.stackTraceLimit).toBe(given)
    },
  )
})
