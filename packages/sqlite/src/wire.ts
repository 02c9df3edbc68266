/**
 * Packs questions and answers into one list of plain values. In a message, each nested object, list or text is copied separately,
 * which takes longer than looking up a row.
 */
import type { Answer, Done, Question, SqliteParameters, SqliteValue } from './protocol.ts'

export type Packed = readonly unknown[]

type Query = Question & readonly ['query', ...unknown[]]

/** Replaces the number of parameters if the parameters have names. */
const BY_NAME = -1
/** Replaces a text or column names that equal the previous ones. */
const AS_BEFORE = null

/** Packs a query as: within a transaction?, text, number of parameters, parameters. Other questions are rare and are not packed. */
export function packQuestions(questions: Iterable<Question>): Packed {
  const packed: unknown[] = []
  let before: string | undefined
  for (const question of questions) {
    if (question[0] !== 'query') {
      packed.push(question)
      continue
    }
    const [, within, sql, parameters] = question
    packed.push(within === 'transaction', sql === before ? AS_BEFORE : sql)
    if (isList(parameters)) {
      packed.push(parameters.length)
      for (const value of parameters) packed.push(value)
    } else packed.push(BY_NAME, parameters)
    before = sql
  }
  return packed
}

export function unpackQuestions(packed: Packed): Question[] {
  const questions: Question[] = []
  let sql = ''
  for (let at = 0; at < packed.length; ) {
    const first = packed[at++]
    if (typeof first !== 'boolean') {
      questions.push(first as Question)
      continue
    }
    const text = packed[at++]
    if (text !== AS_BEFORE) sql = text as string
    const count = packed[at++] as number
    const end = at + (count === BY_NAME ? 1 : count)
    const parameters = count === BY_NAME ? packed[at] : packed.slice(at, end)
    at = end
    questions.push(['query', first ? 'transaction' : 'anywhere', sql, parameters as SqliteParameters] satisfies Query)
  }
  return questions
}

/** Packs an answer as: columns, number of values, more?, changes, rowid, milliseconds, values. Failures are not packed. */
export function packAnswers(answers: Iterable<Answer>): Packed {
  const packed: unknown[] = []
  let before: readonly string[] | undefined
  for (const answer of answers) {
    if ('failure' in answer) {
      packed.push(answer)
      continue
    }
    const { columns, values, more, changes, lastInsertRowid, millis } = answer
    packed.push(columns === before ? AS_BEFORE : columns, values.length, more, changes, lastInsertRowid, millis)
    for (const value of values) packed.push(value)
    before = columns
  }
  return packed
}

export function unpackAnswers(packed: Packed): Answer[] {
  const answers: Answer[] = []
  let columns: readonly string[] = []
  for (let at = 0; at < packed.length; ) {
    const first = packed[at++]
    if (first !== AS_BEFORE && !Array.isArray(first)) {
      answers.push(first as Answer)
      continue
    }
    if (first !== AS_BEFORE) columns = first
    const [count, more, changes, lastInsertRowid, millis] = packed.slice(at, at + 5) as Head
    at += 5
    const values = packed.slice(at, at + count) as SqliteValue[]
    at += count
    answers.push({ columns, values, more, changes, lastInsertRowid, millis })
  }
  return answers
}

type Head = [count: number, more: boolean, changes: number, lastInsertRowid: Done['lastInsertRowid'], millis: number]

function isList(parameters: SqliteParameters): parameters is readonly SqliteValue[] {
  return Array.isArray(parameters)
}
