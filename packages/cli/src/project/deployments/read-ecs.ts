import { t } from '../../output/translate.ts'
import type { Amount } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Container, type Deployment, fixed, parseImage, setTo } from './container.ts'
import { platformProgram } from './container-defaults.ts'
import { FileValue } from './file-value.ts'
import { readWords } from './read-words.ts'

/** Default of deploymentConfiguration.maximumPercent: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html */
const DEFAULT_MAXIMUM_PERCENT = 200

export function isTaskDefinition(file: FileValue): boolean {
  return definitionOf(file).at('containerDefinitions').items.length > 0
}

export function isEcsService(file: FileValue): boolean {
  return file.at('taskDefinition').text !== undefined && file.at('serviceName').text !== undefined
}

/** The argument of `aws application-autoscaling register-scalable-target`. */
export function isScalableTarget(file: FileValue): boolean {
  return (file.at('ResourceId').text ?? '').startsWith('service/') && !file.at('MaxCapacity').isMissing
}

/** Reads task definitions, services and scalable targets of ECS, in the JSON of the AWS CLI. */
export function readEcs(files: readonly FileValue[]): readonly Deployment[] {
  const services = files.filter(isEcsService)
  const targets = files.filter(isScalableTarget)
  const notes: string[] = []
  const containers = files.filter(isTaskDefinition).flatMap((file) => {
    const definition = definitionOf(file)
    const family = definition.at('family').text ?? 'task'
    const mine = services.filter((service) => familyOf(service.at('taskDefinition').text ?? '') === family)
    if (mine.length === 0) notes.push(t`Assumed 1 task of ${family}; pass --instances ${family}=<tasks>.`)
    return (mine.length === 0 ? [undefined] : mine).flatMap((service) =>
      containersOf(definition, family, service, targets),
    )
  })
  return containers.length === 0 ? [] : [{ name: 'ECS', ...classifyContainers(containers), assumed: notes }]
}

function containersOf(
  definition: FileValue,
  family: string,
  service: FileValue | undefined,
  targets: readonly FileValue[],
): readonly Container[] {
  const name = service?.at('serviceName').text ?? family
  const { usual, most, surge } = amountsOf(service, name, targets)
  const containers = definition.at('containerDefinitions').items
  return containers.map((container) => {
    const own = container.at('name').text
    return platformProgram({
      name: containers.length > 1 && own !== undefined ? `${name}/${own}` : name,
      place: service?.at('serviceName').place ?? definition.at('family').place,
      image: parseImage(container.at('image').text, container.at('image').place),
      ...{ instances: { usual, most }, surge, app: undefined },
      words: [...readWords(container.at('entryPoint')), ...readWords(container.at('command'))],
      variables: new Map(
        container
          .at('environment')
          .items.map((entry) => [
            entry.at('name').text ?? '',
            { value: entry.at('value').text ?? '', place: entry.at('value').place },
          ]),
      ),
      unknownVariables: new Set(container.at('secrets').items.flatMap((secret) => secret.at('name').text ?? [])),
      hasUnknownEnvironment: container.at('environmentFiles').items.length > 0,
    })
  })
}

function amountsOf(service: FileValue | undefined, name: string, targets: readonly FileValue[]) {
  if (!service) {
    const one = assumed(1, 'one task')
    return { usual: one, most: one, surge: surgeOf(new FileValue({ file: '' }), one) }
  }
  const desired = service.at('desiredCount')
  const usual =
    desired.count === undefined ? assumed(1, 'one task') : setTo(desired.count, 'desiredCount', desired.place)
  const target = targets.find((each) => each.at('ResourceId').text?.split('/').at(-1) === name)?.at('MaxCapacity')
  const most =
    target?.count !== undefined && target.count > usual.value ? setTo(target.count, 'MaxCapacity', target.place) : usual
  return { usual, most, surge: surgeOf(service, most) }
}

function surgeOf(service: FileValue, most: Amount): Amount {
  const percent = service.at('deploymentConfiguration', 'maximumPercent')
  const value = Math.max(0, Math.floor((most.value * ((percent.count ?? DEFAULT_MAXIMUM_PERCENT) - 100)) / 100))
  const share = value / Math.max(1, most.value)
  if (percent.count !== undefined) return { ...fixed(value, `maximumPercent: ${percent.count}`, percent.place), share }
  return { ...fixed(value, `ECS' default of maximumPercent, ${DEFAULT_MAXIMUM_PERCENT}`, most.place), share }
}

/** The output of `describe-task-definition` has the definition below a key. */
function definitionOf(file: FileValue): FileValue {
  return file.at('taskDefinition').isMap ? file.at('taskDefinition') : file
}

/** `arn:aws:ecs:...:task-definition/api:7` or `api:7` or `api`. */
function familyOf(reference: string): string {
  return reference.split('/').at(-1)?.split(':')[0] ?? ''
}
