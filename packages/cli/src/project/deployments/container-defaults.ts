import type { Amount, Place } from '../workload.ts'
import { type Container, fixed } from './container.ts'

/** A program of a platform that builds it from this repository: no image, and part of its environment is on the platform. */
export function platformProgram(
  program: Pick<Container, 'name' | 'place' | 'instances'> & Partial<Container>,
): Container {
  return {
    kind: 'service',
    image: undefined,
    words: [],
    surge: NO_SURGE,
    processes: fixed(1, 'one process for each instance'),
    variables: new Map(),
    unknownVariables: new Set(),
    app: directoryOf(program.place),
    dependsOn: [],
    hasUnknownEnvironment: true,
    maxFiles: undefined,
    ...program,
  }
}

export const NO_SURGE: Amount = fixed(0, 'old instances stop before new ones start')

/** The directory of a file. */
export function directoryOf({ file }: Place): string {
  return file.split('/').slice(0, -1).join('/')
}
