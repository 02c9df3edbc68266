import { addNote, listNotes } from '../db.server.ts'
import type { Route } from './+types/notes.ts'

export const loader = async () => Response.json(await listNotes())

export const action = async ({ request }: Route.ActionArgs) =>
  Response.json(await addNote(await request.text()), { status: 201 })
