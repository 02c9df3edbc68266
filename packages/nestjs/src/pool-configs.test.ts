import { describe, expect, test, vi } from 'vitest'
import type { PoolguardModuleOptions } from './module-options.ts'
import { type PoolNames, poolConfigs, poolNames, requireNames } from './pool-configs.ts'

const url = 'postgresql://db/app'

describe('the pools that the options configure', () => {
  test.each<
    [description: string, options: PoolguardModuleOptions, configs: ReturnType<typeof poolConfigs>, names: PoolNames]
  >([
    ['no options', {}, new Map(), []],
    ['only options of health and endpoints', { windowMillis: 1, adminToken: 'secret' }, new Map(), []],
    ['a URL', { url, details: true }, new Map([[undefined, { url }]]), undefined],
    ['a URL that is not set', { url: undefined }, new Map([[undefined, { url: undefined }]]), undefined],
    ['an empty object of pools', { pools: {} }, new Map(), []],
    [
      'several pools, one with a name',
      { pools: { orders: { url }, billing: { url, name: 'bills' } } },
      new Map([
        ['orders', { name: 'orders', url }],
        ['billing', { name: 'bills', url }],
      ]),
      ['orders', 'billing'],
    ],
  ])('given %s', (_what, options, configs, names) => {
    expect(poolConfigs(options)).toEqual(configs)
    expect(poolNames(poolConfigs(options))).toEqual(names)
  })

  test.each([[null], [[{ url }]], [url]])('given pools %j, then it throws', (pools) => {
    expect(() => poolConfigs({ pools: pools as never })).toThrow('Invalid option pools: ')
  })

  test.each(['fleet', 'instances'])(
    'given %s and no address, then it throws: the option belongs to the pool of an ORM',
    (name) => {
      for (const variable of ['PGHOST', 'PGUSER', 'PGDATABASE']) vi.stubEnv(variable, undefined)
      expect(() => poolConfigs({ [name]: 2 })).toThrow(`Invalid option ${name}: 2. It takes no value without a url`)
      poolConfigs({ [name]: 2, host: 'db' })
      vi.stubEnv('PGHOST', 'db')
      poolConfigs({ [name]: 2 })
      vi.unstubAllEnvs()
    },
  )

  test('given the options of one pool and pools, then it throws', () => {
    expect(() => poolConfigs({ url, pools: { orders: {} } })).toThrow('Invalid option pools')
  })
})

describe('poolNames and the pools that the factory returns', () => {
  const several = new Map([
    ['orders', {}],
    ['billing', {}],
  ])
  const one = new Map([[undefined, {}]])

  test('given the same keys in any order, then they are accepted', () => {
    requireNames(several, ['billing', 'orders'])
    requireNames(one, undefined)
    requireNames(new Map(), [])
  })

  test.each<[declared: PoolNames, configs: ReadonlyMap<string | undefined, object>, message: string]>([
    [undefined, several, "undefined. It takes ['orders', 'billing']"],
    [['orders'], several, "It takes ['orders', 'billing']"],
    [undefined, new Map(), 'undefined. It takes []'],
    [[], one, 'an array of 0. It takes no value'],
  ])(
    'given %j and other pools from the factory, then the error names those of the factory',
    (declared, configs, message) => {
      expect(() => requireNames(configs, declared)).toThrow(message)
    },
  )
})
