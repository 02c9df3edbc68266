import { sourceExpressions, superlinearExpressions } from './regular-expressions.ts'

const expressions = sourceExpressions(new URL('../../', import.meta.url))
const found = superlinearExpressions(expressions)
for (const line of found) console.error(line)
if (found.length > 0) {
  console.error(
    'These regular expressions may take more than linear time. Bound their quantifiers, or make them exclusive.',
  )
  process.exitCode = 1
} else console.log(`${expressions.length} regular expressions take linear time.`)
