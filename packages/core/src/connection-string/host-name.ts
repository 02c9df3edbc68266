import { UnicodePattern } from '../unicode-pattern.ts'

/** A host name or an IPv4 address: letters of any script, digits, dots and hyphens. */
const NAME = new UnicodePattern(String.raw`^[\p{L}\p{N}_.*-]{0,253}$`)
const IPV6 = /^[\da-f:.]{2,45}(?:%[\w.-]{1,32})?$/i
/** The directory of a Unix socket. */
const DIRECTORY = new UnicodePattern(String.raw`^\/[^@?#='"\x60\p{Cc}]*$`)

/**
 * Whether a text can be the host of a connection string: a name, an address, or the directory of a Unix socket. Other texts are
 * mostly URLs, or pieces of an unencoded password, which must not be shown.
 */
export function isHostName(text: string): boolean {
  if (text.startsWith('/')) return DIRECTORY.test(text) && !text.startsWith('//') && !text.includes(':/')
  return NAME.test(text) || IPV6.test(text)
}
