/**
 * Whether a page of this site has sent the request, and not another site in the name of a user who is logged in here. Every browser
 * sends one of these headers with each POST, and no script can set them.
 *
 * @see https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
export function isSameOrigin({ headers, url }: Request): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const origin = headers.get('origin')
  return origin !== null && URL.canParse(origin) && new URL(origin).host === (headers.get('host') ?? new URL(url).host)
}
