/** Parameters that Prisma 5 and 6 needed behind PgBouncer. poolguard detects the pooler, so that they have no effect. */
const OBSOLETE = /^(pgbouncer|statement_cache_size)$/

/** A line with a PostgreSQL URL: `DATABASE_URL="postgres://..."`. */
const URL_LINE =
  /^([ \t]{0,20}(?:export[ \t]{1,20})?\w{1,200}[ \t]{0,20}=[ \t]{0,20}["'`]?postgres(?:ql)?:\/\/[^\s?]{1,2000}\?)([^\s"'`#]{1,2000})/

/** Removes obsolete parameters from the URLs of a `.env` file; every other character stays. */
export function withoutObsoleteParameters(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [found, start = '', query = ''] = URL_LINE.exec(line) ?? []
      if (found === undefined) return line
      const kept = query.split('&').filter((parameter) => !OBSOLETE.test(parameter.split('=')[0] ?? ''))
      const rest = line.slice(found.length)
      if (kept.length === query.split('&').length) return line
      return kept.length === 0 ? start.slice(0, -1) + rest : start + kept.join('&') + rest
    })
    .join('\n')
}
