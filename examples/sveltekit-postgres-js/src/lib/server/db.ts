import { guardPostgres } from '@poolguard/postgres-js'

export interface Note {
  readonly id: string
  readonly text: string
}

/** The name makes all reloads of this module by `vite dev` share one pool. */
const sql = guardPostgres(process.env.DATABASE_URL, { name: 'notes', fleet: { app: 'notes' } })

export function listNotes(): Promise<Note[]> {
  return sql<Note[]>`select id, text from note order by id desc limit 20`
}

export async function addNote(text: string): Promise<Note | undefined> {
  const [note] = await sql<Note[]>`insert into note (text) values (${text}) returning id, text`
  return note
}
