import type { Rule } from '../rule.ts'
import { preventsConnecting, urlFinding, urlWarnings } from '../url-warnings.ts'

export const urlParametersRefused: Rule = {
  id: 'url-parameters-refused',
  title: 'A parameter of the URL makes connecting fail',
  severity: 'critical',
  check: (facts) => urlWarnings(facts).filter(preventsConnecting).map(urlFinding),
}
