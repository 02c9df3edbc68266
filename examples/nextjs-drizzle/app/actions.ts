'use server'

import { revalidatePath } from 'next/cache'
import { db } from '../lib/db.ts'
import { note } from '../lib/schema.ts'

export async function addNote(form: FormData): Promise<void> {
  const text = form.get('text')
  if (typeof text !== 'string' || text === '') return
  await db.insert(note).values({ text: text.slice(0, 200) })
  revalidatePath('/')
}
