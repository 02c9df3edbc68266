import type { StartupParameterMap, StartupParameters } from '@poolguard/core/adapter'
import type { WireClient } from '../wire-client.ts'

/** pg's own field is called otherwise where the app gave only a fallback. */
const FALLBACKS: Readonly<Record<string, string>> = { application_name: 'fallback_application_name' }

/**
 * Takes from a client what it must not send when it connects. pg reads these from the configuration, the URL and the
 * environment (PGOPTIONS, PGAPPNAME); what the client has made of them is all that counts.
 *
 * @returns what is sent.
 */
export function admitStartupParameters(client: WireClient, parameters: StartupParameters): StartupParameterMap {
  const wished = client.getStartupConf()
  const admitted = parameters.admit(wished)
  for (const [name, value] of Object.entries(wished)) {
    if (admitted[name] !== value) replace(client, name, admitted[name])
  }
  return admitted
}

/** Leaves a client nothing to send but user and database, and what is given. */
export function dropStartupParameters(client: WireClient, given: StartupParameterMap): void {
  const { user: _user, database: _database, ...sent } = client.getStartupConf()
  for (const name of Object.keys({ ...sent, ...given })) replace(client, name, given[name])
}

function replace({ connectionParameters }: WireClient, name: string, value: unknown): void {
  connectionParameters[name] = value
  const fallback = FALLBACKS[name]
  if (fallback !== undefined) connectionParameters[fallback] = value
}
