import { DCLinter } from 'dclint'

/** The project name and the order of keys are up to the user. */
const OFF = [
  'require-project-name-field',
  'service-keys-order',
  'services-alphabetical-order',
  'service-dependencies-alphabetical-order',
  'service-ports-alphabetical-order',
  'top-level-properties-order',
]

/** The linter's messages about a compose file, among others by Compose's own schema. */
export function lintCompose(file: string): readonly string[] {
  const linter = new DCLinter({
    rules: {
      ...Object.fromEntries(OFF.map((rule) => [rule, 0 as const])),
      'require-quotes-in-ports': [2, { quoteType: 'double' }],
    },
    quiet: true,
    debug: false,
    exclude: [],
  })
  const [result] = linter.lintFiles([file], false)
  const messages: { rule: string; message: string; line: number }[] = result?.messages ?? []
  return messages.map(({ rule, message, line }) => `${line}: ${rule}: ${message}`)
}
