import { describe, expect, test } from 'vitest'
import type { Answer, Done, Question } from './protocol.ts'
import { packAnswers, packQuestions, unpackAnswers, unpackQuestions } from './wire.ts'

const SELECT = 'SELECT * FROM things WHERE id = ?'
const DONE: Done = { columns: [], values: [], more: false, changes: 0, lastInsertRowid: 0, millis: 0 }

describe('packed messages', () => {
  test.each<[description: string, questions: Question[]]>([
    ['nothing', []],
    ['a query without parameters', [['query', 'anywhere', SELECT, []]]],
    ['parameters by their order', [['query', 'anywhere', SELECT, [1, 'a', null, 2n, new Uint8Array([1])]]]],
    ['parameters by name', [['query', 'anywhere', SELECT, { id: 1, name: null }]]],
    ['a query of a transaction', [['query', 'transaction', SELECT, [1]]]],
    [
      'queries of one text, and of others between them',
      [
        ['query', 'anywhere', SELECT, [1]],
        ['query', 'anywhere', SELECT, [2]],
        ['set up'],
        ['query', 'anywhere', SELECT, { id: 3 }],
        ['query', 'anywhere', 'SELECT 1', []],
        ['query', 'anywhere', SELECT, [4]],
      ],
    ],
    [
      'other questions',
      [
        ['script', 'transaction', 'CREATE TABLE things (id)'],
        ['open cursor', 'anywhere', SELECT, [1], 7],
        ['next', 7],
        ['close'],
      ],
    ],
  ])('is the same questions at the other end: %s', (_what, questions) => {
    expect(unpackQuestions(structuredClone(packQuestions(questions)))).toEqual(questions)
  })

  test.each<[description: string, answers: Answer[]]>([
    ['nothing', []],
    ['an answer with nothing in it', [DONE]],
    ['a write', [{ ...DONE, changes: 2, lastInsertRowid: 2n ** 60n, millis: 0.25 }]],
    [
      'rows',
      [{ ...DONE, columns: ['id', 'name', 'data'], values: [1, 'a', null, 2n, 0.5, new Uint8Array([1])], more: true }],
    ],
    [
      'failures between others',
      [
        { ...DONE, columns: ['id'], values: [1, 2] },
        { failure: { message: 'no such column: a', code: 'SQLITE_ERROR', inTransaction: false } },
        { ...DONE, columns: ['id'] },
        { ...DONE, columns: ['name'], values: ['a'] },
      ],
    ],
  ])('is the same answers at the other end: %s', (_what, answers) => {
    expect(unpackAnswers(structuredClone(packAnswers(answers)))).toEqual(answers)
  })

  test('contain a repeated text or repeated column names only once', () => {
    const questions: Question[] = [1, 2, 3].map((id) => ['query', 'anywhere', SELECT, [id]])
    expect(packQuestions(questions).filter((value) => value === SELECT)).toHaveLength(1)
    const columns = ['id']
    const answers = [1, 2, 3].map((id): Answer => ({ ...DONE, columns, values: [id] }))
    expect(packAnswers(answers).filter((value) => value === columns)).toHaveLength(1)
  })
})
