import type { Rule } from '../rule.ts'
import { preventsConnecting, urlFinding, urlWarnings } from '../url-warnings.ts'

export const urlParametersRefused: Rule = {
  id: 'url-parameters-refused',
  title: 'With this parameter in the URL no connection comes about',
  severity: 'critical',
  check: (facts) => urlWarnings(facts).filter(preventsConnecting).map(urlFinding),
}
