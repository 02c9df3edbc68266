import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { build, type Rolldown } from 'vite'

/** A file of the page. */
export interface PageFile {
  /** Unique for its content, so that browsers can keep it. */
  readonly name: string
  readonly type: string
  readonly text: string
}

/**
 * Builds the page's files from their source: one script and one style sheet. The published packages contain the result, so that they
 * need no bundler.
 */
export async function pageFiles(): Promise<readonly PageFile[]> {
  const result = await build({
    root: join(import.meta.dirname, '../app'),
    configFile: false,
    logLevel: 'error',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: { write: false, target: 'es2022', rolldownOptions: { input: 'main.tsx' }, modulePreload: false },
  })
  return (result as Rolldown.RolldownOutput).output.map(fileOf)
}

function fileOf(output: Rolldown.OutputChunk | Rolldown.OutputAsset): PageFile {
  const text = output.type === 'chunk' ? output.code : String(output.source)
  const isScript = output.type === 'chunk'
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
  return isScript
    ? { name: `page-${hash}.js`, type: 'text/javascript; charset=utf-8', text }
    : { name: `page-${hash}.css`, type: 'text/css; charset=utf-8', text }
}
