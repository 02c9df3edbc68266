import { desc } from 'drizzle-orm'
import { db } from '../../lib/db.ts'
import { poolguard } from '../../lib/poolguard.ts'
import { note } from '../../lib/schema.ts'

export const dynamic = 'force-dynamic'

/** The label measures waits by route; if no connection is available in time, the response is 503. */
export const GET = (request: Request): Promise<Response> =>
  poolguard.serve(request, { label: 'GET /notes' }, async () =>
    Response.json(await db.select().from(note).orderBy(desc(note.id)).limit(20)),
  )

export const POST = (request: Request): Promise<Response> =>
  poolguard.serve(request, { label: 'POST /notes' }, async () => {
    const text = (await request.text()).slice(0, 200)
    const [made] = await db.insert(note).values({ text }).returning()
    return Response.json(made, { status: 201 })
  })
