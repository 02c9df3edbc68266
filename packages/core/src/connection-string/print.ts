import type { ConnectionStringParts, HostAddress } from './connection-string.ts'

/** Writes the parts as a URL that every PostgreSQL driver reads alike: all that is not plain is percent-encoded. */
export function print(parts: ConnectionStringParts): string {
  const authority = `${printUser(parts)}${(parts.hosts ?? []).map(printHost).join(',')}`
  const database = parts.database === undefined ? '' : `/${encode(parts.database)}`
  const parameters = (parts.parameters ?? []).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  return `${parts.scheme ?? 'postgresql'}://${authority}${database === '' && query !== '' ? '/' : database}${query}`
}

function printUser({ user, password }: ConnectionStringParts): string {
  if (user === undefined && password === undefined) return ''
  return `${encode(user ?? '')}${password === undefined ? '' : `:${encode(password)}`}@`
}

function printHost({ host, port }: HostAddress): string {
  const name = host.includes(':') && !host.startsWith('/') ? `[${encode(host).replaceAll('%3A', ':')}]` : encode(host)
  return port === undefined ? name : `${name}:${port}`
}

/**
 * encodeURIComponent leaves `'` and `*` alone; shells and redaction do better without the first, `***` reads better. It
 * throws on half a surrogate pair, which no server could be sent anyhow.
 */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("'", '%27')
}
