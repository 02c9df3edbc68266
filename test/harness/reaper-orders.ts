/** One line of JSON from a test process to its reaper. */
export type ReaperOrder =
  | { readonly watch: { readonly pid: number; readonly signal: NodeJS.Signals } | { readonly folder: string } }
  | { readonly forget: { readonly pid: number } | { readonly folder: string } }
