import { parseEnv } from 'node:util'
import type { ProjectFolder } from '../project-folder.ts'
import type { WorkloadVariable } from '../workload.ts'

/** The variables of a `.env` file, with their lines; undefined if the file does not exist. */
export function readEnvFileOf(folder: ProjectFolder, file: string): ReadonlyMap<string, WorkloadVariable> | undefined {
  return folder.read(file, 'variables', (text) => {
    const lines = text.split('\n').map((line) => /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1])
    return new Map(
      Object.entries(parseEnv(text)).map(([name, value = '']) => {
        const line = lines.lastIndexOf(name) + 1
        return [name, { value, place: { file, ...(line > 0 && { line }) } }] as const
      }),
    )
  })
}
