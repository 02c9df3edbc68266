import { type CredentialSource, InvalidOptionError } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type ParsedOptions, parsedOptionsOf } from '../internals.ts'

/** The facade's own connections, of `listen` and `subscribe`, log in with the credentials of the app's function or the password file. */
export class FacadeLogin {
  readonly #source: CredentialSource
  #facade: Sql | undefined

  constructor(source: CredentialSource) {
    this.#source = source
  }

  /** postgres.js calls it for each login of the facade. */
  readonly password = async (): Promise<string> => (await this.#adopt()) ?? ''

  /**
   * `listen` and `subscribe` of the facade.
   *
   * @param changesUser true with the option `credentials`.
   */
  methodsOf(facade: Sql, changesUser: boolean): Pick<Sql, 'listen' | 'subscribe'> {
    this.#facade = facade
    const { listen, subscribe } = facade
    if (!changesUser) return { listen, subscribe }
    const listenAs: Sql['listen'] = (async (...args: Parameters<Sql['listen']>) => {
      await this.#adopt()
      return listen(...args)
    }) as unknown as Sql['listen']
    return { listen: listenAs, subscribe: rejectSubscribe }
  }

  async #adopt(): Promise<string | undefined> {
    const facade = this.#facade as Sql
    const options: ParsedOptions = parsedOptionsOf(facade)
    const { host, port, database } = options
    const request = { host: host[0] ?? 'localhost', port: port[0] ?? 5432, user: options.user, database }
    const { user, password } = await this.#source.get(request)
    if (user === undefined || user === options.user) return password
    options.user = user
    // The instance of `listen` keeps its user. Without the instance, `listen` makes another one, also to listen again after a loss.
    Reflect.deleteProperty(facade.listen, 'sql')
    return password
  }
}

/** postgres.js makes the connection of `subscribe` when `postgres()` is called, and keeps its user. */
const rejectSubscribe: Sql['subscribe'] = async () => {
  throw new InvalidOptionError(
    'credentials',
    () => {},
    'no value with sql.subscribe, because postgres.js keeps one user for it. Set user, and password as a function',
  )
}
