import type { StatementReader } from './statement-reader.ts'

/**
 * Reads to the semicolon that ends the statement, past semicolons in parentheses, as in `CREATE RULE ... DO (a; b)`, and in the body
 * of a routine.
 */
export function skipStatement(reader: StatementReader): void {
  if (reader.takeWord('create')) {
    while (reader.takeWord('or') || reader.takeWord('replace')) {}
    if (reader.isWord('function') || reader.isWord('procedure')) {
      skipRoutine(reader)
      return
    }
  }
  let depth = 0
  while (reader.kind !== 'end') {
    if (reader.kind === 'punctuation') {
      if (depth === 0 && reader.isPunctuation(';')) return
      depth = depthAfter(reader, depth)
    }
    reader.next()
  }
}

/** The same from the FUNCTION or PROCEDURE of a CREATE, whose body may be `BEGIN ATOMIC a; b; END`. The rules are psql's. */
export function skipRoutine(reader: StatementReader): void {
  let depth = 0
  let blocks = 0
  while (reader.kind !== 'end') {
    if (reader.kind === 'punctuation') {
      if (depth === 0 && blocks === 0 && reader.isPunctuation(';')) return
      depth = depthAfter(reader, depth)
    } else if (blocks > 0) {
      if (reader.isWord('case')) blocks++
      else if (reader.isWord('end')) blocks--
    } else if (reader.takeWord('begin')) {
      if (reader.isWord('atomic')) blocks = 1
      else continue
    }
    reader.next()
  }
}

/** The number of open parentheses after the token. */
export function depthAfter(reader: StatementReader, depth: number): number {
  if (reader.isPunctuation('(')) return depth + 1
  return depth > 0 && reader.isPunctuation(')') ? depth - 1 : depth
}
