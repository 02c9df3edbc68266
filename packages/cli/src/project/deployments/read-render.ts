import { t } from '../../output/translate.ts'
import type { Amount, WorkloadVariable } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Container, type Deployment, fixed, parseImage, setTo, shareOf } from './container.ts'
import { NO_SURGE, platformProgram } from './container-defaults.ts'
import type { FileValue } from './file-value.ts'
import { readWords } from './read-words.ts'

const PROGRAMS = ['web', 'worker', 'pserv', 'cron']

/** Reads a `render.yaml`: https://render.com/docs/blueprint-spec */
export function readRender(file: FileValue): Deployment {
  const services = [...file.at('services').items, ...file.at('projects').items.flatMap(servicesOfProject)]
  const programs = services
    .filter((service) => PROGRAMS.includes(service.at('type').text ?? '') && service.at('runtime').text !== 'static')
    .map((service) => programOf(file, service))
  const isPreviewing = previewsOf(file)
  const previews = isPreviewing ? programs.filter(({ kind }) => kind === 'service').map(previewOf) : []
  const notes = isPreviewing ? [t`Assumed 1 preview environment at a time; pass --previews <number> for more.`] : []
  return { name: file.place.file, ...classifyContainers([...programs, ...previews]), assumed: notes }
}

function servicesOfProject(project: FileValue): readonly FileValue[] {
  return project.at('environments').items.flatMap((environment) => environment.at('services').items)
}

function programOf(file: FileValue, service: FileValue): Container {
  const type = service.at('type').text
  const { usual, most } = instancesOf(service)
  const { variables, unknownVariables } = variablesOf(file, service)
  const image = service.at('image', 'url')
  return platformProgram({
    ...{ name: service.at('name').text ?? 'service', kind: type === 'cron' ? 'job' : 'service' },
    ...{ place: service.at('name').place, variables, unknownVariables },
    image: parseImage(image.text, image.place),
    instances: { usual, most },
    surge: type === 'cron' ? NO_SURGE : surgeOf(service, most),
    processes: processesOf(variables),
    words: [...readWords(service.at('dockerCommand')), ...readWords(service.at('startCommand'))],
    app: service.at('rootDir').text?.replace(/^\.?\/|\/$/g, '') ?? '',
  })
}

function instancesOf(service: FileValue): { usual: Amount; most: Amount } {
  const count = service.at('numInstances')
  const usual =
    count.count === undefined
      ? fixed(1, "Render's default of numInstances", service.place)
      : setTo(count.count, 'numInstances', count.place)
  const max = service.at('scaling', 'maxInstances')
  return { usual, most: max.count === undefined ? usual : setTo(max.count, 'scaling.maxInstances', max.place) }
}

/** New instances start before the old ones stop, except with a disk: https://render.com/docs/deploys#zero-downtime-deploys */
function surgeOf(service: FileValue, most: Amount): Amount {
  if (service.at('disk').isMap) return NO_SURGE
  return shareOf(most.value, 1, 'a deploy starts new instances before it stops the old ones', most.place)
}

/** A program that starts a process for each of WEB_CONCURRENCY. */
export function processesOf(variables: ReadonlyMap<string, WorkloadVariable>): Amount {
  const variable = variables.get('WEB_CONCURRENCY')
  if (variable === undefined || !/^[1-9]\d{0,2}$/.test(variable.value)) return fixed(1, 'one process for each instance')
  return setTo(Number(variable.value), 'WEB_CONCURRENCY', variable.place)
}

function variablesOf(file: FileValue, service: FileValue) {
  const variables = new Map<string, WorkloadVariable>()
  const unknownVariables = new Set<string>()
  const groups = file.at('envVarGroups').items
  const add = (entry: FileValue) => {
    const key = entry.at('key').text
    const value = entry.at('value')
    if (key === undefined) {
      const group = groups.find((each) => each.at('name').text === entry.at('fromGroup').text)
      for (const inner of group?.at('envVars').items ?? []) if (inner.at('key').text !== undefined) add(inner)
    } else if (value.text === undefined) unknownVariables.add(key)
    else variables.set(key, { value: value.text, place: value.place })
  }
  for (const entry of service.at('envVars').items) add(entry)
  return { variables, unknownVariables }
}

function previewsOf(file: FileValue): boolean {
  const generation =
    file.at('previews', 'generation').text ?? (file.at('previewsEnabled').text === 'true' ? 'automatic' : undefined)
  return generation === 'automatic' || generation === 'manual'
}

/** A preview environment has one instance of each service, and its own database unless the URL is fixed. */
function previewOf(container: Container): Container {
  const one = assumed(1, 'one preview environment')
  return {
    ...container,
    name: `${container.name} (preview)`,
    kind: 'preview',
    instances: { usual: one, most: one },
    surge: NO_SURGE,
  }
}
