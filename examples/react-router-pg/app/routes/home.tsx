import { listNotes } from '../db.server.ts'
import type { Route } from './+types/home.ts'

export const loader = () => listNotes()

export default function Home({ loaderData }: Route.ComponentProps) {
  return (
    <main>
      <h1>Notes</h1>
      <ul>
        {loaderData.map(({ id, text }) => (
          <li key={id}>{text}</li>
        ))}
      </ul>
    </main>
  )
}
