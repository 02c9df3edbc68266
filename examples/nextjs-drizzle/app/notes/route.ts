import { isPoolTimeout } from '@poolguard/core'
import { desc } from 'drizzle-orm'
import { db } from '../../lib/db.ts'
import { note } from '../../lib/schema.ts'

export const dynamic = 'force-dynamic'

export async function GET(): Promise<Response> {
  try {
    return Response.json(await db.select().from(note).orderBy(desc(note.id)).limit(20))
  } catch (error) {
    // No connection was available in time: clients can retry.
    if (isPoolTimeout(error)) return Response.json({ error: 'busy' }, { status: 503, headers: { 'retry-after': '1' } })
    throw error
  }
}

export async function POST(request: Request): Promise<Response> {
  const [made] = await db
    .insert(note)
    .values({ text: (await request.text()).slice(0, 200) })
    .returning()
  return Response.json(made, { status: 201 })
}
