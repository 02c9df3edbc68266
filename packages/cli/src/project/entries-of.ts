import { type Dirent, readdirSync } from 'node:fs'

/** The entries of a directory; none if it cannot be read. */
export function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
