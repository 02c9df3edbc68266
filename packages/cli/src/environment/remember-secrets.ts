import { hiddenTexts } from '@poolguard/core/adapter'
import { parseConnectionString } from '@poolguard/core/postgres'
import { rememberSecret } from '../output/printable.ts'

/** Hides the secrets of variables from all output: passwords, and those in URLs. Includes unused ones, because an error may contain them. */
export function rememberVariables(env: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (!value) continue
    if (/(PASSWORD|PASS|PASSWD|PWD|SECRET|TOKEN)$/.test(name)) rememberSecret(value)
    else if (/^postgres(ql)?:/.test(value)) rememberUrl(value)
  }
}

function rememberUrl(value: string): void {
  try {
    for (const secret of hiddenTexts(parseConnectionString(value))) rememberSecret(secret)
  } catch {
    // An invalid URL is reported where it is used. All of it may be secret.
    rememberSecret(value)
  }
}
