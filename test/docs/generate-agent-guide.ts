/** Brings the snippets of the guide for coding assistants up to date, and writes the guide that `poolguard agent-guide` prints. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GUIDE, PRINTED_GUIDE, printedGuide, readGuide, withSnippets } from './agent-guide.ts'
import { ROOT } from './documents.ts'

const guide = withSnippets(readGuide())
writeFileSync(join(ROOT, GUIDE), guide)
writeFileSync(join(ROOT, PRINTED_GUIDE), printedGuide(guide))
