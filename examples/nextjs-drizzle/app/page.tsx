import { desc } from 'drizzle-orm'
import { db } from '../lib/db.ts'
import { note } from '../lib/schema.ts'
import { addNote } from './actions.ts'

/** Rendered for each request: what is in the database is not known when the app is built, and it may not be there then. */
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
