const NEWLINE = 0x0a
const RETURN = 0x0d

/** The end of the line that contains `from`, without the line break. */
export function endOfLine(text: string, from: number): number {
  let end = from
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === NEWLINE || code === RETURN) break
  }
  return end
}
