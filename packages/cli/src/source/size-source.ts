/** Where the size of a pool comes from. */
export type PoolSizeSource =
  /** A number in the call: `new Pool({ max: 20 })`. */
  | { readonly kind: 'literal' }
  /** A constant of the same file: `const MAX = 20`. */
  | { readonly kind: 'constant'; readonly name: string }
  /** An environment variable, with the number that applies without it: `Number(process.env.DB_POOL_MAX ?? 10)`. */
  | { readonly kind: 'variable'; readonly variable: string; readonly fallback: number | undefined }
  /** A parameter of the connection URL, set in the source or in the variable that holds the URL. */
  | { readonly kind: 'url'; readonly parameter: string; readonly variable: string | undefined }
  /** The library's default; `reference` is the page that says so, `assumes` what the default depends on. */
  | { readonly kind: 'default'; readonly reference: string; readonly assumes?: string }
  /** An expression that cannot be computed from the file, such as a call. */
  | { readonly kind: 'unknown'; readonly expression: string }
