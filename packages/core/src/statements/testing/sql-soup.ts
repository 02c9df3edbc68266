import fc from 'fast-check'

/** Characters that open, close, escape and separate, and the relevant keywords. */
// biome-ignore format: a table
const ATOMS = [
  "'", "''", '"', '""', '\\', "\\'", '$', '$$', '$a$', '$1', '--', '-', '/*', '*/', '/', '*', '+', '\n', '\r', '\t', ' ',
  'a', 'e', '_', '1', '1.', '0x', '.', '..', ':', '::', ';', '(', ')', '[', ']', ',', '=', "E'", "U&'", 'U&"', "B'", 'é', '🙂',
  ' set ', ' local ', ' session ', ' to ', ' x = 1', ' reset ', ' select ', ' into ', ' temp ', ' table ', ' create ', ' as ',
  ' on commit drop ', ' explain ', ' analyze ', ' declare ', ' cursor ', ' with ', ' hold ', ' prepare ', ' transaction ',
  ' execute ', ' listen ', ' discard ', ' load ', ' function ', ' begin ', ' atomic ', ' end ', ' pg_advisory_lock(', ' pg_temp.',
  ' pg_catalog.', " set_config('a', 'b', false)", ' false ',
]

/** Texts that are seldom valid SQL, and full of edge cases for a tokenizer. */
export const sqlSoup: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.constantFrom(...ATOMS), { maxLength: 40 }).map((atoms) => atoms.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
)
