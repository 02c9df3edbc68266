/** A column before a migration, with a value that it takes. */
export interface ColumnType {
  readonly type: string
  /** Taken before the migration. */
  readonly value: string
  /** What clients send afterwards: awkward for this type, or for the types that the column may become. */
  readonly awkward: readonly unknown[]
}

const INTEGERS = [0, 7, -1, '007', '+7', ' 7', 7.5, '1e2', 32_768, 2_147_483_647, '9223372036854775807', 'x']
const DECIMALS = [7, '7.50', '007', '0.1', '1e2', '-0', 16_777_217, '1234567.891', '12345678901234567.89', 'NaN', 'x']
const TEXTS = [
  'a',
  'a  ',
  '  a',
  '',
  'A',
  'TRUE',
  '007',
  'x'.repeat(70),
  '{"b":1,  "a":2}',
  'null',
  '\u00e9',
  '1.50',
  'pg_class',
]
const TIMES = [
  '2022-01-01',
  '2022-01-01 10:30:00.123456',
  '2022-01-01 10:30:00-02',
  '2022-01-01T10:30:00.000Z',
  '10:30',
  '10:30-02',
  'x',
]
const NETWORKS = ['10.0.0.0', '10.0.0.0/8', '10.0.0.1/32', '::1', 'x']

/** One for each built-in type that columns have. */
export const COLUMN_TYPES: readonly ColumnType[] = [
  { type: 'smallint', value: '1', awkward: INTEGERS },
  { type: 'integer', value: '1', awkward: INTEGERS },
  { type: 'bigint', value: '1', awkward: INTEGERS },
  { type: 'numeric', value: '1', awkward: DECIMALS },
  { type: 'numeric(6,2)', value: '1', awkward: DECIMALS },
  { type: 'real', value: '1', awkward: DECIMALS },
  { type: 'double precision', value: '1', awkward: DECIMALS },
  { type: 'money', value: '1', awkward: DECIMALS },
  { type: 'oid', value: '1', awkward: INTEGERS },
  { type: 'boolean', value: 'true', awkward: [true, false, 'true', 't', 'TRUE', 'yes', '1', 'x'] },
  { type: 'text', value: 'a', awkward: TEXTS },
  { type: 'varchar(80)', value: 'a', awkward: TEXTS },
  { type: 'char(8)', value: 'a', awkward: TEXTS },
  { type: '"char"', value: 'a', awkward: TEXTS },
  { type: 'name', value: 'a', awkward: TEXTS },
  { type: 'xml', value: '<a/>', awkward: ['<a/>', '<a />', '<?xml version="1.0"?><a/>', 'x'] },
  {
    type: 'uuid',
    value: '7d444840-9dc0-11d1-b245-5ffdce74fad2',
    awkward: [
      '7d444840-9dc0-11d1-b245-5ffdce74fad2',
      '7D444840-9DC0-11D1-B245-5FFDCE74FAD2',
      '7d4448409dc011d1b2455ffdce74fad2',
      '{7d444840-9dc0-11d1-b245-5ffdce74fad2}',
      'x',
    ],
  },
  { type: 'bytea', value: '\\x61', awkward: ['\\x61', '\\X61', 'a', '\\141', Buffer.from('a'), Buffer.from([0xff])] },
  { type: 'json', value: '{"a":1}', awkward: ['{"a":1}', ' {"b":1,  "a":1.50} ', '{"a":1,"a":2}', { a: 1 }, '7', 'x'] },
  {
    type: 'jsonb',
    value: '{"a":1}',
    awkward: ['{"a":1}', ' {"b":1,  "a":1.50} ', '{"a":1,"a":2}', { a: 1 }, '7', 'x'],
  },
  { type: 'date', value: '2022-01-01', awkward: TIMES },
  { type: 'time', value: '10:30', awkward: TIMES },
  { type: 'timetz', value: '10:30', awkward: TIMES },
  { type: 'timestamp', value: '2022-01-01', awkward: TIMES },
  { type: 'timestamptz', value: '2022-01-01', awkward: TIMES },
  { type: 'interval', value: '1 day', awkward: ['1 day', '24:00', 'P1D', '1', '1 mon 30 days', 'x'] },
  { type: 'inet', value: '10.0.0.1', awkward: NETWORKS },
  { type: 'cidr', value: '10.0.0.0/8', awkward: NETWORKS },
  {
    type: 'macaddr',
    value: '08:00:2b:01:02:03',
    awkward: ['08:00:2b:01:02:03', '08-00-2B-01-02-03', '08002b0102030405', 'x'],
  },
  {
    type: 'macaddr8',
    value: '08:00:2b:01:02:03:04:05',
    awkward: ['08:00:2b:ff:fe:01:02:03', '08-00-2B-01-02-03', 'x'],
  },
  { type: 'bit(3)', value: '101', awkward: ['101', '1', '10100', 'x'] },
  { type: 'varbit(5)', value: '101', awkward: ['101', '1', '10100', 'x'] },
  { type: 'point', value: '(1,2)', awkward: ['(1,2)', '1, 2', 'x'] },
  { type: 'box', value: '(1,1),(0,0)', awkward: ['(1,1),(0,0)', '0,0,1,1', 'x'] },
  { type: 'polygon', value: '((0,0),(1,1))', awkward: ['((0,0),(1,1))', '0,0,1,1', 'x'] },
  { type: 'circle', value: '<(1,2),3>', awkward: ['<(1,2),3>', '1,2,3', 'x'] },
  { type: 'tsvector', value: 'a b', awkward: ['a b', 'b a', 'x'] },
  { type: 'integer[]', value: '{1,2}', awkward: ['{1,2}', '{ 1, 2 }', [1, 2], ['1', '2'], 'x'] },
  { type: 'text[]', value: '{a,b}', awkward: ['{a,b}', '{"a","b"}', ['a', 'b'], 'x'] },
  { type: 'int4range', value: '[1,3)', awkward: ['[1,3)', '[1,2]', 'x'] },
]
