import {
  type CredentialSource,
  type CredentialsRequest,
  credentialSourceOf,
  type KnownSecrets,
  type ServerAddress,
  type UseCredentials,
} from '@poolguard/core/adapter'
import type { GuardedPoolConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'
import { AddressedSocket } from './addressed-socket.ts'
import { requireChannelBinding } from './require-channel-binding.ts'

export interface ClientFactoryOptions {
  /** Configuration of every client. */
  readonly config: GuardedPoolConfig
  /** The parameter `passfile` of the URL. */
  readonly passfile: string | undefined
  /** Replaces the configured application_name if it returns a name. Called for every client. */
  readonly applicationName: () => string | undefined
  readonly makeClient: (config: GuardedPoolConfig) => WireClient
  readonly warn: (message: string) => void
  /** Collects the passwords that the app's function returns, so that no message shows them. */
  readonly secrets: KnownSecrets
}

/** Creates pg's clients, each with the address, the credentials and the name for one login. */
export class ClientFactory {
  readonly #options: ClientFactoryOptions
  /** Set if a function of the app or the password file returns the password. */
  readonly #credentials: CredentialSource | undefined
  #warnedOfNegotiation = false

  constructor(options: ClientFactoryOptions) {
    this.#options = options
    const { config, passfile, secrets } = options
    const { credentials, password } = config
    this.#credentials = credentialSourceOf({ credentials, password, passfile }, secrets)
  }

  /** True if a function of the app returns the password. */
  get passwordMayChange(): boolean {
    return this.#credentials?.mayChange ?? false
  }

  /**
   * Connects with the credentials that the app's function or the password file returns, if there is one.
   *
   * @param attempt connects once, with the configuration of {@link configWith}, or of {@link configAt} if it gets no function.
   */
  withCredentials<T>(signal: AbortSignal, attempt: (use?: UseCredentials) => Promise<T>): Promise<T> {
    return this.#credentials ? this.#credentials.connect(signal, attempt) : attempt()
  }

  /** The configuration of the pool's next connection. */
  configAt(server: ServerAddress | undefined): GuardedPoolConfig {
    return withApplicationName(atServer(this.#options.config, server), this.#options.applicationName())
  }

  /** The configuration of the pool's next connection, with credentials. */
  async configWith(use: UseCredentials, server: ServerAddress | undefined): Promise<GuardedPoolConfig> {
    const config = await this.#withAnswer(atServer(this.#options.config, server), use)
    return withApplicationName(config, this.#options.applicationName())
  }

  create(config: GuardedPoolConfig): WireClient {
    const client = this.#options.makeClient(config)
    if (config.channelBinding === 'require' && client.connection) requireChannelBinding(client.connection)
    // pg before 8.22 ignores the option.
    if (config.sslnegotiation === 'direct' && !('sslNegotiation' in client) && !this.#warnedOfNegotiation) {
      this.#warnedOfNegotiation = true
      this.#options.warn(
        'sslnegotiation=direct has no effect with this version of pg, which asks the server for TLS before each handshake. Update pg to 8.22 or later',
      )
    }
    return client
  }

  /** The configuration for one more login, for a connection that is not the pool's own. */
  async loginConfig(server?: ServerAddress): Promise<GuardedPoolConfig> {
    const source = this.#credentials
    const config = atServer(this.#options.config, server)
    return source ? this.#withAnswer(config, (request) => source.get(request)) : config
  }

  /** A password function is called only if the server asks for a password, as in pg. */
  async #withAnswer(config: GuardedPoolConfig, use: UseCredentials): Promise<GuardedPoolConfig> {
    const { password: ownPassword, ...request } = this.#readRequest(config)
    if (!config.credentials) {
      // `pg.defaults` contains a password.
      if (ownPassword && typeof config.password !== 'function') return config
      // pg passes its merged parameters to a password function since 8.19.
      const password = async (parameters = request) => (await use(parameters)).password
      return { ...config, password } as GuardedPoolConfig
    }
    const { user, password } = await use(request)
    return { ...config, ...(user !== undefined && { user }), password }
  }

  /** The address as pg reads it from the configuration and the environment. */
  #readRequest({ stream: _stream, ...config }: GuardedPoolConfig): CredentialsRequest & Pick<WireClient, 'password'> {
    // Without the stream: a stream function would open a socket.
    const { host, port, user, database, password } = this.#options.makeClient({ ...config, password: undefined })
    return { host, port, user, database, password }
  }
}

/** The configuration for one server. pg makes the password non-enumerable, so a spread does not copy it. */
function atServer(config: GuardedPoolConfig, server: ServerAddress | undefined): GuardedPoolConfig {
  if (!server) return config
  const { host, port, address } = server
  const stream = address === undefined ? config.stream : new AddressedSocket(address)
  return { ...config, password: config.password, host, port, ...(stream && { stream: stream as never }) }
}

/** A fleet recognizes its instances by the application_name of their connections. */
function withApplicationName(config: GuardedPoolConfig, applicationName: string | undefined): GuardedPoolConfig {
  if (applicationName === undefined) return config
  return { ...config, password: config.password, application_name: applicationName } as GuardedPoolConfig
}
