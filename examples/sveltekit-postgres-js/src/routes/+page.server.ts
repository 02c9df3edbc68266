import { listNotes } from '#lib/server/db.ts'
import type { PageServerLoad } from './$types'

export const load: PageServerLoad = async () => ({ notes: await listNotes() })
