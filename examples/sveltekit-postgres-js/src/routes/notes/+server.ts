import { error } from '@sveltejs/kit'
import { addNote, listNotes } from '#lib/server/db.ts'
import type { RequestHandler } from './$types'

export const GET: RequestHandler = async () => Response.json(await listNotes())

export const POST: RequestHandler = async ({ request }) => {
  const text: unknown = await request.json()
  if (typeof text !== 'string') error(400, 'a string is expected')
  return Response.json(await addNote(text), { status: 201 })
}
