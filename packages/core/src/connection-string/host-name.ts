/** A host name, an IPv4 address, or several words of them: letters of any script, digits, dots and hyphens. */
const NAME = /^[\p{L}\p{N}_.*-]{0,253}$/u
const IPV6 = /^[\da-f:.]{2,45}(?:%[\w.-]{1,32})?$/i
/** The folder of a Unix socket. */
const FOLDER = /^\/[^@?#='"`\p{Cc}]*$/u

/**
 * Whether a text can be the host of a connection string: a name, an address, or the folder of a Unix socket. Other texts are
 * mostly URLs, or pieces of a password that was not encoded, which must not be shown.
 */
export function isHostName(text: string): boolean {
  if (text.startsWith('/')) return FOLDER.test(text) && !text.startsWith('//') && !text.includes(':/')
  return NAME.test(text) || IPV6.test(text)
}
