import fc from 'fast-check'
import { KnownSecrets } from '../../../packages/core/src/known-secrets.ts'
import { redact } from '../../../packages/core/src/redact.ts'
import { hideStrings, showStatement } from '../../../packages/core/src/statements/index.ts'
import { facesOf } from '../../security/secrets/faces.ts'
import { findLeaks, type Output } from '../../security/secrets/find-leaks.ts'
import { connectionStrings } from '../../security/secrets/subjects.ts'
import type { FuzzTarget } from '../fuzz-target.ts'
import { type SecretText, secretTexts } from './secret-texts.ts'

export const secretsTarget: FuzzTarget = {
  name: 'secrets',
  claim: 'no error, log line or statement shows six characters of a password',
  cases: 500,
  matrixCases: 100_000,
  prepare() {
    const counts = { outputs: 0 }
    const property = fc.asyncProperty(secretTexts, async (given) => {
      const outputs = [...(await connectionStrings(given.text)), ...messagesWith(given), ...statementsWith(given)]
      counts.outputs += outputs.length
      const [leak] = findLeaks(given.secret, outputs)
      if (leak !== undefined) throw new Error(`${leak}\n${JSON.stringify(given)}`)
    })
    return { property, counts }
  },
}

/** Messages of drivers and servers that repeat what they were given. */
function messagesWith({ secret, text }: SecretText): Output[] {
  const known = new KnownSecrets([secret])
  const error = new Error(`cannot parse ${secret}`, { cause: new Error(`password "${secret}" is wrong`) })
  return [
    { where: 'redact', text: redact(`cannot connect to ${text}`) },
    ...facesOf('KnownSecrets', known.hideInError(error)),
  ]
}

function statementsWith({ secret }: SecretText): Output[] {
  const statement = `alter role app password '${secret.replaceAll("'", "''")}' -- ${secret.replaceAll(/[\n\r]/g, ' ')}\nvalid`
  return [
    { where: 'showStatement', text: showStatement(statement) },
    { where: 'hideStrings', text: hideStrings(statement) },
  ]
}
