import type { Rule } from '../rule.ts'
import { preventsConnecting, urlFinding, urlWarnings } from '../url-warnings.ts'

export const urlParametersWithoutEffect: Rule = {
  id: 'url-parameters-without-effect',
  title: 'A parameter of the URL has no effect in this driver',
  severity: 'warning',
  check: (facts) =>
    urlWarnings(facts)
      .filter((warning) => !preventsConnecting(warning))
      .map(urlFinding),
}
