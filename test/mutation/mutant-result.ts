/** A mutant as Stryker's plugins see it. Its own types are installed only when it runs. */
export interface MutantResult {
  readonly id: string
  readonly fileName: string
  readonly mutatorName: string
  readonly replacement: string
  /** From 1. */
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'CompileError' | 'RuntimeError' | 'Ignored'
}
