import fc from 'fast-check'

interface Edit {
  readonly at: number
  readonly removed: number
  readonly inserted: string
}

/** The texts of an arbitrary: half of them unchanged, the others with a few characters replaced, inserted or removed. */
export function withMutations(texts: fc.Arbitrary<string>, inserted: readonly string[]): fc.Arbitrary<string> {
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.nat(1_000),
    removed: fc.nat(2),
    inserted: fc.constantFrom('', ...inserted),
  })
  const edits = fc.oneof(fc.constant([]), fc.array(edit, { minLength: 1, maxLength: 3 }))
  return fc.tuple(texts, edits).map(([text, each]) => each.reduce(applyEdit, text))
}

function applyEdit(text: string, { at, removed, inserted }: Edit): string {
  const start = at % (text.length + 1)
  return text.slice(0, start) + inserted + text.slice(start + removed)
}
