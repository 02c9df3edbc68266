import type { StartupParameterMap } from '@poolguard/core/adapter'
import type { StartupParameters } from '@poolguard/core/connection'
import type { WireClient } from '../wire-client.ts'

/** pg reads these from a second field if the app configured only a fallback. */
const FALLBACKS: Readonly<Record<string, string>> = { application_name: 'fallback_application_name' }

/**
 * Removes the startup parameters from a client that it must not send. pg reads them from the configuration, the URL and the
 * environment (PGOPTIONS, PGAPPNAME), so the client's merged result is changed.
 *
 * @returns the parameters that the client sends.
 */
export function admitStartupParameters(client: WireClient, parameters: StartupParameters): StartupParameterMap {
  const configured = client.getStartupConf()
  const admitted = parameters.admit(configured)
  for (const [name, value] of Object.entries(configured)) {
    if (admitted[name] !== value) replace(client, name, admitted[name])
  }
  return admitted
}

/** Removes all startup parameters from a client except user, database and the given ones. */
export function dropStartupParameters(client: WireClient, given: StartupParameterMap): void {
  const { user: _user, database: _database, ...sent } = client.getStartupConf()
  for (const name of Object.keys({ ...sent, ...given })) replace(client, name, given[name])
}

function replace({ connectionParameters }: WireClient, name: string, value: unknown): void {
  connectionParameters[name] = value
  const fallback = FALLBACKS[name]
  if (fallback !== undefined) connectionParameters[fallback] = value
}
