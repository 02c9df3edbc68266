import { t } from '../../output/translate.ts'
import type { WorkloadVariable } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Container, type Deployment, fixed, setTo } from './container.ts'
import { directoryOf, platformProgram } from './container-defaults.ts'
import { FileValue } from './file-value.ts'
import { processesOf } from './read-render.ts'
import { readWords } from './read-words.ts'

/** Process types of a Procfile, with their lines: https://devcenter.heroku.com/articles/procfile */
export function parseProcfile(text: string, file: string): readonly FileValue[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [, name, command] = /^([\w-]+):(.+)$/.exec(line) ?? []
    if (name === undefined || command === undefined) return []
    const place = { file, line: index + 1 }
    const scalar = (value: unknown) => new FileValue(place, { kind: 'scalar', value })
    return [
      new FileValue(place, {
        kind: 'map',
        entries: [
          ['name', scalar(name)],
          ['command', scalar(command.trim())],
        ],
      }),
    ]
  })
}

/**
 * Reads a Procfile, and the number of dynos from `app.json`.
 *
 * @param app the content of `app.json`; a missing value without one.
 */
export function readProcfile(types: readonly FileValue[], app: FileValue): Deployment {
  const place = types[0]?.place ?? app.place
  const notes: string[] = []
  const variables = new Map<string, WorkloadVariable>(
    app.at('env').entries.flatMap(([name, value]) => {
      const written = value.text === undefined ? value.at('value') : value
      return written.text === undefined ? [] : [[name, { value: written.text, place: written.place }] as const]
    }),
  )
  const programs = types.map((type): Container => {
    const name = type.at('name').text ?? ''
    const isRelease = name === 'release'
    const quantity = app.at('formation', name, 'quantity')
    const dynos = isRelease
      ? fixed(1, 'the release phase', type.place)
      : quantity.count === undefined
        ? assumed(1, 'one dyno')
        : setTo(quantity.count, 'quantity', quantity.place)
    if (dynos.isAssumed)
      notes.push(t`Assumed 1 dyno of ${name}; pass --instances ${name}=<dynos> for what heroku ps prints.`)
    return platformProgram({
      ...{ name, kind: isRelease ? 'job' : 'service', place: type.place, variables, app: directoryOf(type.place) },
      instances: { usual: dynos, most: dynos },
      processes: isRelease ? fixed(1, 'one process') : processesOf(variables),
      words: readWords(type.at('command')),
    })
  })
  return { name: place.file, ...classifyContainers(programs), assumed: notes }
}
