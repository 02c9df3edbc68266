const NEWLINE = 0x0a
const RETURN = 0x0d

/** Where the line ends that goes on at `from`. The line break is not part of it. */
export function endOfLine(text: string, from: number): number {
  let end = from
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === NEWLINE || code === RETURN) break
  }
  return end
}
