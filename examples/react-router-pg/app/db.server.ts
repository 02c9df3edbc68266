import { guardPool } from '@poolguard/pg'

export interface Note {
  readonly id: string
  readonly text: string
}

/** The name makes all reloads of this module by `react-router dev` share one pool. */
const pool = guardPool({ url: process.env.DATABASE_URL, name: 'notes', fleet: { app: 'notes' } })

export async function listNotes(): Promise<Note[]> {
  return (await pool.query<Note>('select id, text from note order by id desc limit 20')).rows
}

export async function addNote(text: string): Promise<Note | undefined> {
  return (await pool.query<Note>('insert into note (text) values ($1) returning id, text', [text])).rows[0]
}
