/** A word for a shell, quoted if it needs it. */
export function shellWord(text: string): string {
  return /^[\w.:@%/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
