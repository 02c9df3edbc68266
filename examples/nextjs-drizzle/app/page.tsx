import { desc } from 'drizzle-orm'
import { db } from '../lib/db.ts'
import { note } from '../lib/schema.ts'
import { addNote } from './actions.ts'

/** Rendered per request: at build time, the notes are unknown and the database may be unavailable. */
export const dynamic = 'force-dynamic'

export default async function Page() {
  const notes = await db.select().from(note).orderBy(desc(note.id)).limit(20)
  return (
    <main>
      <h1>Notes</h1>
      <form action={addNote}>
        <input name="text" required maxLength={200} />
        <button type="submit">Add</button>
      </form>
      <ul>
        {notes.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </main>
  )
}
