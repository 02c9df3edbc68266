import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { lexer, type Tokens } from 'marked'
import { ROOT } from './documents.ts'

export interface TableRow {
  /** The nearest heading above the table. */
  readonly heading: string
  /** The nearest heading of the second level above it. */
  readonly section: string
  /** The cells by the titles of their columns, as they are written. */
  readonly cells: Readonly<Record<string, string>>
}

/** Every row of every table of a document. */
export function tableRows(path: string): readonly TableRow[] {
  return rowsOf(readFileSync(join(ROOT, path), 'utf8'))
}

/** Every row of every table of a text in Markdown. */
export function rowsOf(text: string): readonly TableRow[] {
  const rows: TableRow[] = []
  let [heading, section] = ['', '']
  for (const token of lexer(text)) {
    if (token.type === 'heading') {
      heading = token.text
      if (token.depth <= 2) section = token.text
    }
    if (token.type !== 'table') continue
    const { header, rows: body } = token as Tokens.Table
    for (const row of body) {
      const cells = Object.fromEntries(row.map((cell, column) => [header[column]?.text ?? '', cell.text]))
      rows.push({ heading, section, cells })
    }
  }
  return rows
}

/** The text of a cell that is code and nothing else. */
export function codeIn(cell: string | undefined): string {
  const text = cell ?? ''
  return text.startsWith('`') && text.endsWith('`') ? text.slice(1, -1) : text
}
