import type { ExistingService } from './existing-compose.ts'
import { POOLER_HOST, POOLER_PORT } from './pgbouncer-ini.ts'

/** How an app's service reaches PgBouncer instead of the database. */
export interface Rewiring {
  /** Variables to change in the service. */
  readonly environment: Readonly<Record<string, string>>
  /** Variables to change by hand: their values contain a password, which no file gets. */
  readonly byHand: readonly string[]
}

const HOST_NAME = /HOST|SERVER/

/** Finds the variables that lead to the database's service. Undefined if there are none. */
export function rewireService({ environment }: ExistingService, database: string): Rewiring | undefined {
  const changed: Record<string, string> = {}
  const byHand: string[] = []
  for (const [name, value] of Object.entries(environment)) {
    if (value === database && HOST_NAME.test(name)) {
      changed[name] = POOLER_HOST
      changed[name.replace(HOST_NAME, 'PORT')] = String(POOLER_PORT)
      continue
    }
    const url = throughPooler(value, database)
    // DIRECT_URL is for migrations, which bypass the pooler.
    if (url === undefined || name === 'DIRECT_URL') continue
    if (hasLiteralPassword(value)) {
      byHand.push(name)
      continue
    }
    changed[name] = url
    if (name === 'DATABASE_URL' && environment.DIRECT_URL === undefined) changed.DIRECT_URL = value
  }
  return Object.keys(changed).length + byHand.length === 0 ? undefined : { environment: changed, byHand }
}

/** The URL with PgBouncer's address; undefined if it does not lead to the database. */
function throughPooler(value: string, database: string): string | undefined {
  if (!/^postgres(ql)?:/.test(value)) return undefined
  const at = value.lastIndexOf(`@${database}`)
  const [, port, rest = ''] = /^(:\d+)?([/?].*)?$/.exec(value.slice(at + 1 + database.length)) ?? []
  const isHere = at >= 0 && value.slice(at + 1).startsWith(`${database}${port ?? ''}${rest}`)
  return isHere ? `${value.slice(0, at)}@${POOLER_HOST}:${POOLER_PORT}${rest}` : undefined
}

/** Whether the URL has a password that is not a variable of Compose. */
function hasLiteralPassword(url: string): boolean {
  const login = url.slice(url.indexOf('//') + 2, url.lastIndexOf('@'))
  const colon = login.indexOf(':')
  return colon >= 0 && !/^\$\{\w+\}$/.test(login.slice(colon + 1)) && !/^\$\w+$/.test(login.slice(colon + 1))
}
