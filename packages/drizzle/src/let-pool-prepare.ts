import type { GuardedSql } from '@poolguard/postgres-js'

type Unsafe = GuardedSql['unsafe']

/**
 * The client as Drizzle gets it. Drizzle says of every query without a name that it is not to be prepared (drizzle-orm 0.4x,
 * postgres-js/session.js); taken out, that is for the pool to decide, which prepares what comes often enough.
 */
export function letPoolPrepare(client: GuardedSql): GuardedSql {
  const unsafe: Unsafe = (text, values, options) => {
    const { prepare, ...others } = options ?? {}
    return client.unsafe(text, values, prepare === false ? others : options)
  }
  return new Proxy(client, {
    get: (target, name) => (name === 'unsafe' ? unsafe : Reflect.get(target, name)),
  })
}
