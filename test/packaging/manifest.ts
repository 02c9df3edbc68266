/** The parts of a package's manifest that the checks read. */
export interface Manifest {
  readonly name: string
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Record<string, unknown>
}
