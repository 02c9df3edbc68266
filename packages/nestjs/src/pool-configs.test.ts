import { describe, expect, test, vi } from 'vitest'
import type { PoolguardModuleOptions } from './module-options.ts'
import { type PoolNames, poolConfigs, poolNames, requireNames } from './pool-configs.ts'

const url = 'postgresql://db/app'

describe('the pools that options describe', () => {
  test.each<[what: string, options: PoolguardModuleOptions, configs: ReturnType<typeof poolConfigs>, names: PoolNames]>(
    [
      ['nothing', {}, new Map(), []],
      ['only how health is judged', { health: { windowMillis: 1 } }, new Map(), []],
      ['a URL', { url, health: {} }, new Map([[undefined, { url }]]), undefined],
      ['a URL that is not set', { url: undefined }, new Map([[undefined, { url: undefined }]]), undefined],
      ['none of several', { pools: {} }, new Map(), []],
      [
        'several, one with a name of its own',
        { pools: { orders: { url }, billing: { url, name: 'bills' } } },
        new Map([
          ['orders', { name: 'orders', url }],
          ['billing', { name: 'bills', url }],
        ]),
        ['orders', 'billing'],
      ],
    ],
  )('given %s', (_what, options, configs, names) => {
    expect(poolConfigs(options)).toEqual(configs)
    expect(poolNames(poolConfigs(options))).toEqual(names)
  })

  test.each([[null], [[{ url }]], [url]])('given pools %j, then that is refused', (pools) => {
    expect(() => poolConfigs({ pools: pools as never })).toThrow('Invalid option pools: ')
  })

  test.each(['fleet', 'instances'])(
    'given %s and no address, then that is refused: it is meant for the pools of an ORM',
    (name) => {
      for (const variable of ['PGHOST', 'PGUSER', 'PGDATABASE']) vi.stubEnv(variable, undefined)
      expect(() => poolConfigs({ [name]: 2 })).toThrow(`Invalid option ${name}: 2. It takes no value without a url`)
      poolConfigs({ [name]: 2, host: 'db' })
      vi.stubEnv('PGHOST', 'db')
      poolConfigs({ [name]: 2 })
      vi.unstubAllEnvs()
    },
  )

  test('given one and several, then that is refused', () => {
    expect(() => poolConfigs({ url, pools: { orders: {} } })).toThrow('Invalid option pools')
  })
})

describe('what Nest was told of the pools', () => {
  const several = new Map([
    ['orders', {}],
    ['billing', {}],
  ])
  const one = new Map([[undefined, {}]])

  test('given the same in any order, then it is taken', () => {
    requireNames(several, ['billing', 'orders'])
    requireNames(one, undefined)
    requireNames(new Map(), [])
  })

  test.each<[told: PoolNames, configs: ReadonlyMap<string | undefined, object>, message: string]>([
    [undefined, several, "undefined. It takes ['orders', 'billing']"],
    [['orders'], several, "It takes ['orders', 'billing']"],
    [undefined, new Map(), 'undefined. It takes []'],
    [[], one, 'an array of 0. It takes no value'],
  ])('given %j where others are described, then what is described is named', (told, configs, message) => {
    expect(() => requireNames(configs, told)).toThrow(message)
  })
})
