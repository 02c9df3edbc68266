import type { ProjectFolder } from '../project-folder.ts'
import type { Word } from './container.ts'
import { FileValue } from './file-value.ts'
import { readWords } from './read-words.ts'
import { readYaml } from './read-yaml.ts'

/** What a Dockerfile starts, in its last stage: the words of ENTRYPOINT and CMD. */
export function readDockerfileCommand(folder: ProjectFolder, file: string): readonly Word[] {
  return (
    folder.read(file, 'Dockerfile', (text) => {
      const lines = text.split('\n')
      const instruction = (name: string) => {
        const index = lines.findLastIndex((line) => new RegExp(`^\\s*${name}\\s`, 'i').test(line))
        return index < 0 ? [] : wordsOf(lines[index]?.trim().slice(name.length).trim() ?? '', { file, line: index + 1 })
      }
      return [...instruction('ENTRYPOINT'), ...instruction('CMD')]
    }) ?? []
  )
}

/** `["node", "server.js"]`, or a line for a shell. */
function wordsOf(written: string, place: FileValue['place']): readonly Word[] {
  if (written.startsWith('[')) {
    const [list] = readYaml(written, place.file)
    return (list?.texts ?? []).map((text) => ({ text, place }))
  }
  return readWords(new FileValue(place, { kind: 'scalar', value: written }))
}
