import { isCanonicalUuid, isPlainText, isPlainWord, isWholeNumber } from './canonical-values.ts'

/**
 * Whether a value may be sent to a statement that was prepared earlier, when a migration may have changed the type of the column since.
 *
 * - `never`: another type could read the value differently.
 * - `checked`: only while the server has confirmed the types of the parameters a moment ago.
 * - `always`: every type that PostgreSQL accepts in its place reads the value the same.
 */
export type Verdict = 'never' | 'checked' | 'always'

/** @param shared whether other clients may have prepared the same text on the same server connection. */
export type Judge = (value: unknown, shared: boolean) => Verdict

interface ParameterType {
  readonly name: string
  /** Why values of this type are safe, or are not. */
  readonly why: string
  /** Absent if no value of the type is safe. */
  readonly judge?: Judge
}

/** Every number type, including the smallest, can represent whole numbers up to this one. */
const EXACT_IN_EVERY_TYPE = 32_767
const MAX_INT4 = 2_147_483_647
/** 9,223,372,036,854,775,807 has one digit more. */
const MAX_INT8 = 999_999_999_999_999_999n

/**
 * Why it matters: PostgreSQL fixes the types of a named statement's parameters when it parses the statement, and keeps them when it analyses
 * the statement again after ALTER TABLE. The value is read as the old type and cast to the new one. Without a name, the value is read as the
 * new type immediately. (RevalidateCachedQuery in src/backend/utils/cache/plancache.c.)
 *
 * A type is safe for a value if, for every type to which PostgreSQL casts it by assignment or implicitly, the cast gives what the input
 * function of that type gives, and the operators of both find the same rows. If there is no such cast, the server rejects the statement
 * before it runs, and it is sent again without a name.
 */
const TYPES: ReadonlyMap<number, ParameterType> = new Map<number, ParameterType>([
  [21, { name: 'int2', why: 'whole numbers are printed as they were written', judge: whole(EXACT_IN_EVERY_TYPE) }],
  [
    23,
    { name: 'int4', why: 'as int2; beyond 32,767 a real would round and a smallint reject it', judge: whole(MAX_INT4) },
  ],
  [20, { name: 'int8', why: 'as int4', judge: whole(MAX_INT8) }],
  [1700, { name: 'numeric', why: 'only small whole numbers: an integer column would round others', judge: small }],
  [
    701,
    { name: 'float8', why: 'only small whole numbers: a numeric column would get 15 digits of others', judge: small },
  ],
  [700, { name: 'float4', why: 'only small whole numbers: it keeps 6 digits of others', judge: small }],
  [
    16,
    {
      name: 'bool',
      why: 'only true and false in full, as a text column would get them; a name column would get t',
      judge: bool,
    },
  ],
  [2950, { name: 'uuid', why: 'only in lower case with hyphens, which is how it is printed', judge: uuid }],
  [
    25,
    {
      name: 'text',
      why: 'only if no longer than a name and without trailing blanks, which char(n) ignores',
      judge: text,
    },
  ],
  [1043, { name: 'varchar', why: 'as text', judge: text }],
  [114, { name: 'json', why: 'it keeps the text unchanged, and has no comparison operators', judge: json }],
  [3802, { name: 'jsonb', why: 'it is printed in another form than it was written' }],
  [17, { name: 'bytea', why: 'a Buffer is sent as bytes, which a text column takes for characters' }],
  [1042, { name: 'bpchar', why: 'it drops trailing blanks on the way to text' }],
  [19, { name: 'name', why: 'it truncates texts longer than 63 bytes' }],
  [18, { name: '"char"', why: 'it keeps one byte' }],
  [26, { name: 'oid', why: 'integer columns get large ones as negative numbers' }],
  [790, { name: 'money', why: 'it is read and printed by lc_monetary' }],
  [1082, { name: 'date', why: 'it drops the time, and is printed by DateStyle' }],
  [1083, { name: 'time', why: 'it drops the offset' }],
  [1266, { name: 'timetz', why: 'it is printed in another form than it was written' }],
  [1114, { name: 'timestamp', why: 'it drops the offset' }],
  [1184, { name: 'timestamptz', why: 'it moves to the time zone of the session' }],
  [1186, { name: 'interval', why: 'it is printed in another form than it was written' }],
  [869, { name: 'inet', why: 'a text column also gets the length of the network' }],
  [650, { name: 'cidr', why: 'it is printed in another form than it was written' }],
  [829, { name: 'macaddr', why: 'it is printed in another form than it was written' }],
  [774, { name: 'macaddr8', why: 'it is printed in another form than it was written' }],
  [1560, { name: 'bit', why: 'it is padded or cut to its length' }],
  [1562, { name: 'varbit', why: 'a bit column pads it or cuts it off' }],
  [142, { name: 'xml', why: 'it may be printed without its declaration' }],
  [3614, { name: 'tsvector', why: 'it is printed in another form than it was written' }],
  [3615, { name: 'tsquery', why: 'it is printed in another form than it was written' }],
  [4072, { name: 'jsonpath', why: 'it is printed in another form than it was written' }],
])

const OTHERS = 'arrays, ranges, enums, domains and types of extensions are printed in another form, or may be replaced'

/** The judge for values of a type; undefined if no value of the type is safe. OIDs of built-in types are fixed. */
export function judgeOfType(oid: number): Judge | undefined {
  return TYPES.get(oid)?.judge
}

/** `int4: whole numbers are ...`, for messages. */
export function describeType(oid: number): string {
  const type = TYPES.get(oid)
  return type ? `${type.name}: ${type.why}` : `type ${oid}: ${OTHERS}`
}

function whole(max: number | bigint): Judge {
  return (value) => {
    if (!isWholeNumber(value, max)) return 'never'
    return Number(value) <= EXACT_IN_EVERY_TYPE ? 'always' : 'checked'
  }
}

function small(value: unknown): Verdict {
  return isWholeNumber(value, EXACT_IN_EVERY_TYPE) ? 'always' : 'never'
}

function bool(value: unknown): Verdict {
  return value === true || value === false || value === 'true' || value === 'false' ? 'checked' : 'never'
}

function uuid(value: unknown): Verdict {
  return isCanonicalUuid(value) ? 'always' : 'never'
}

/** `checked`, because types such as citext and "char" have their own comparisons. */
function text(value: unknown, shared: boolean): Verdict {
  return isPlainText(value) && (!shared || isPlainWord(value)) ? 'checked' : 'never'
}

/** Drivers send strings, and objects through JSON.stringify, but bytes unchanged. */
function json(value: unknown): Verdict {
  return ArrayBuffer.isView(value) ? 'never' : 'always'
}
