/** The options of pg's `Client` that libpq has parameters for. */
export interface SocketOptions {
  readonly keepAlive?: boolean
  readonly keepAliveInitialDelayMillis?: number
  readonly enableChannelBinding?: boolean
}

/** What a libpq parameter becomes in pg. */
export interface SocketParameter {
  readonly options: SocketOptions
  /** What the rewriting has done, for a warning. */
  readonly instead: string
}

/** The libpq parameters that pg ignores in a URL, but has an option for. Undefined for others and for invalid values. */
export function socketParameter(name: string, value: string): SocketParameter | undefined {
  if (name === 'keepalives') {
    return { options: { keepAlive: value !== '0' }, instead: 'the option keepAlive has been set' }
  }
  if (name === 'keepalives_idle' && /^\d{1,9}$/.test(value)) {
    return {
      options: { keepAliveInitialDelayMillis: Number(value) * 1000 },
      instead: 'the option keepAliveInitialDelayMillis has been set',
    }
  }
  if (name === 'channel_binding') {
    return {
      options: { enableChannelBinding: value !== 'disable' },
      instead: 'the option enableChannelBinding has been set, which uses it if the server offers it',
    }
  }
  return undefined
}

/** pg's options for the parameters of a URL. */
export function socketOptions(parameters: ReadonlyMap<string, string>): SocketOptions {
  const found = [...parameters].map(([name, value]) => socketParameter(name, value)?.options)
  const options: SocketOptions = Object.assign({}, ...found)
  // In libpq, keepalives are on unless the URL turns them off.
  return options.keepAliveInitialDelayMillis === undefined ? options : { keepAlive: true, ...options }
}
