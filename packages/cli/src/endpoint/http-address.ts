import { CannotRunError } from '../outcome.ts'
import { rememberSecret } from '../output/printable.ts'
import { t } from '../output/translate.ts'

/** Whether an address is that of an app instead of a database. */
export function isHttpAddress(url: string | undefined): url is string {
  return url !== undefined && /^https?:\/\//i.test(url)
}

/**
 * Parses the address of an app.
 *
 * @throws {CannotRunError} for an invalid URL, and for one with a secret: other users of the machine can read arguments.
 */
export function readHttpAddress(text: string): URL {
  if (!URL.canParse(text))
    throw new CannotRunError(t`The URL is invalid. It should look like http://127.0.0.1:3000/healthz.`)
  const url = new URL(text)
  const hasSecret = [...url.searchParams.keys()].some((name) => /token|secret|password|key|auth/i.test(name))
  if (url.username || url.password || hasSecret) {
    for (const secret of [url.password, ...url.searchParams.values()]) rememberSecret(secret)
    throw new CannotRunError(
      t`Do not put a token or password into the URL: other users of this machine can read the arguments of a process. Set POOLGUARD_TOKEN instead.`,
    )
  }
  return url
}

/** The address without a user, a password and parameters. */
export function shownAddress({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}
