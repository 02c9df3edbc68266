/**
 * Functions of pg_catalog that neither write, lock, block nor depend on the session: immutable and stable ones, and a few volatile ones
 * that only read a clock or make up a value. A function that is missing here costs its statement a connection of its own, nothing else.
 *
 * A test compares the list with the catalogs of real servers.
 */
const NAMES: readonly string[] = [
  // Text: https://www.postgresql.org/docs/current/functions-string.html
  'ascii bit_length btrim char_length character_length chr concat concat_ws convert convert_from convert_to decode encode format',
  'initcap left length lower lpad ltrim md5 octet_length parse_ident quote_ident quote_literal quote_nullable regexp_count',
  'regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr',
  'repeat replace reverse right rpad rtrim sha224 sha256 sha384 sha512 split_part starts_with string_to_array string_to_table strpos',
  'substr to_ascii to_hex translate unistr upper like_escape textcat',
  // Numbers: https://www.postgresql.org/docs/current/functions-math.html
  'abs acos acosd asin asind atan atan2 atan2d atand cbrt ceil ceiling cos cosd cot cotd degrees div exp factorial floor gcd lcm ln',
  'log log10 min_scale mod pi power radians round scale sign sin sind sqrt tan tand trim_scale trunc width_bucket',
  // Dates: https://www.postgresql.org/docs/current/functions-datetime.html
  'age clock_timestamp date date_bin date_part date_trunc isfinite justify_days justify_hours justify_interval make_date',
  'make_interval make_time make_timestamp make_timestamptz now statement_timestamp timezone to_char to_date to_number to_timestamp',
  'transaction_timestamp',
  // Aggregates and windows: https://www.postgresql.org/docs/current/functions-aggregate.html
  'array_agg avg bit_and bit_or bit_xor bool_and bool_or count every json_agg json_object_agg jsonb_agg jsonb_object_agg max min',
  'range_agg range_intersect_agg string_agg sum xmlagg corr covar_pop covar_samp regr_avgx regr_avgy regr_count regr_intercept',
  'regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop stddev_samp var_pop var_samp variance mode percentile_cont',
  'percentile_disc rank dense_rank percent_rank cume_dist row_number ntile lag lead first_value last_value nth_value',
  // JSON: https://www.postgresql.org/docs/current/functions-json.html
  'array_to_json json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each',
  'json_each_text json_extract_path json_extract_path_text json_object json_object_keys json_populate_record',
  'json_populate_recordset json_strip_nulls json_to_record json_to_recordset json_typeof jsonb_array_elements',
  'jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text',
  'jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_keys jsonb_path_exists jsonb_path_match',
  'jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_populate_record jsonb_populate_recordset jsonb_pretty',
  'jsonb_set jsonb_set_lax jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof row_to_json to_json to_jsonb',
  // Arrays and sets: https://www.postgresql.org/docs/current/functions-array.html
  'array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions array_prepend',
  'array_remove array_replace array_to_string array_upper cardinality generate_series generate_subscripts trim_array unnest',
  // Ranges: https://www.postgresql.org/docs/current/functions-range.html
  'int4range int8range numrange tsrange tstzrange daterange isempty lower_inc lower_inf range_merge upper_inc upper_inf multirange',
  // Full text search: https://www.postgresql.org/docs/current/functions-textsearch.html
  'array_to_tsvector numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery to_tsvector ts_delete ts_filter',
  'ts_headline ts_rank ts_rank_cd tsquery_phrase tsvector_to_array websearch_to_tsquery',
  // Network addresses, enums, UUIDs, geometry
  'abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen enum_first enum_last',
  'enum_range gen_random_uuid area center diameter height npoints point radius box circle polygon path',
  // Conversions written as calls
  'text varchar bpchar int2 int4 int8 float4 float8 bool',
  // Catalog: https://www.postgresql.org/docs/current/functions-info.html
  'col_description format_type has_schema_privilege has_table_privilege obj_description pg_get_constraintdef pg_get_expr',
  'pg_get_indexdef pg_get_userbyid pg_get_viewdef pg_table_is_visible pg_typeof shobj_description to_regclass to_regtype version',
  'num_nonnulls num_nulls',
]

let functions: ReadonlySet<string> | undefined

/** The names of these functions. The set is made when a statement is read, because that takes 2 ms of the start of a process. */
export function readOnlyFunctions(): ReadonlySet<string> {
  functions ??= new Set(NAMES.flatMap((line) => line.split(' ')))
  return functions
}
