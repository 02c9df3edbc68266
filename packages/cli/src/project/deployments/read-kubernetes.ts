import { t } from '../../output/translate.ts'
import type { Amount, WorkloadKind, WorkloadVariable } from '../workload.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Container, type Deployment, fixed, parseImage, setTo, shareOf } from './container.ts'
import type { FileValue } from './file-value.ts'
import { mergeCompose } from './merge-compose.ts'
import { readWords } from './read-words.ts'
import type { Reading } from './reading.ts'

/** Kinds with a pod template, and where the template is. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  Deployment: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  /** Argo Rollouts. */
  Rollout: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  /** Knative, and so Cloud Run. */
  Service: ['spec', 'template', 'spec'],
}

/** Limits of Cloud Run and KEDA where no file sets one. */
const CLOUD_RUN_MAX = 100
const KEDA_MAX = 100

/** Whether a document is a manifest. */
export function isManifest(document: FileValue): boolean {
  return document.at('apiVersion').text !== undefined && document.at('kind').text !== undefined
}

/** Reads manifests and the output of `helm template` or `kustomize build`: https://kubernetes.io/docs/reference/kubernetes-api/ */
export function readKubernetes(documents: readonly FileValue[], reading: Reading): readonly Deployment[] {
  const manifests = documents.flatMap(unpackList).filter(isManifest)
  if (manifests.length === 0) return []
  for (const { place } of manifests) if (!reading.read.includes(place.file)) reading.read.push(place.file)
  const reader = new ManifestReader(manifests)
  return reader.containers.length === 0
    ? []
    : [{ name: 'Kubernetes', ...classifyContainers(reader.containers), assumed: reader.assumed }]
}

function unpackList(document: FileValue): readonly FileValue[] {
  return document.at('kind').text === 'List' ? document.at('items').items : [document]
}

class ManifestReader {
  readonly assumed: string[] = []
  readonly containers: readonly Container[]
  readonly #configMaps: ReadonlyMap<string, FileValue>
  readonly #secrets: ReadonlyMap<string, FileValue>
  readonly #scalers: readonly FileValue[]
  /** Numbers of replicas in kustomizations, by the name of the workload. */
  readonly #kustomized: ReadonlyMap<string, readonly FileValue[]>

  constructor(manifests: readonly FileValue[]) {
    const named = (kind: string) =>
      new Map(manifests.filter((each) => each.at('kind').text === kind).map((each) => [nameOf(each), each] as const))
    this.#configMaps = named('ConfigMap')
    this.#secrets = named('Secret')
    this.#scalers = manifests.filter((each) => ['HorizontalPodAutoscaler', 'ScaledObject'].includes(kindOf(each)))
    const kustomizations = manifests.filter((each) => kindOf(each) === 'Kustomization')
    const counts = kustomizations.flatMap((each) => each.at('replicas').items)
    this.#kustomized = Map.groupBy(counts, (each) => each.at('name').text ?? '')
    // A kustomization's overlay has a part of the manifest that it changes, under the same name.
    const workloads = Map.groupBy(manifests.filter(isWorkload), (each) => `${kindOf(each)} ${nameOf(each)}`)
    this.containers = [...workloads.values()].flatMap((variants) => this.#read(variants))
  }

  /** Several manifests of one name are a base and its overlays, or environments: the largest counts. */
  #read(variants: readonly FileValue[]): readonly Container[] {
    const amounts = variants.map((each) => this.#amounts(each, variants))
    const largest = variants.toSorted(
      (a, b) => total(amounts[variants.indexOf(b)]) - total(amounts[variants.indexOf(a)]),
    )[0] as FileValue
    if (variants.length > 1) {
      this.assumed.push(
        t`${kindOf(largest)} ${nameOf(largest)} is in ${variants.map(({ place }) => place.file).join(', ')}: the largest number of instances counts.`,
      )
    }
    const merged = [...variants.filter((each) => each !== largest), largest].reduce((base, over) =>
      mergeCompose(base, over),
    )
    const { usual, most, surge } = amounts[variants.indexOf(largest)] as Amounts
    const spec = merged.at(...(POD_SPECS[kindOf(largest)] ?? []))
    const containers = containersOf(variants, spec)
    return containers.map((container) => {
      const { variables, unknownVariables, hasSecrets } = this.#variables(container)
      const name = nameOf(largest)
      const own = container.at('name').text
      return {
        name: containers.length > 1 && own !== undefined && own !== name ? `${name}/${own}` : name,
        ...{ kind: kindFor(largest), place: largest.at('kind').place, variables, unknownVariables, surge },
        instances: { usual, most },
        image: parseImage(container.at('image').text, container.at('image').place),
        words: [...readWords(container.at('command')), ...readWords(container.at('args'))],
        processes: fixed(1, 'one process for each container'),
        ...{ app: undefined, dependsOn: [], hasUnknownEnvironment: hasSecrets, maxFiles: undefined },
      }
    })
  }

  #amounts(manifest: FileValue, variants: readonly FileValue[]): Amounts {
    const kind = kindOf(manifest)
    if (kind === 'Job' || kind === 'CronJob') return jobAmounts(manifest)
    if (kind === 'Service') return cloudRunAmounts(manifest)
    if (kind === 'DaemonSet') {
      const nodes = assumed(1, 'one node')
      this.assumed.push(
        t`Assumed 1 node for the DaemonSet ${nameOf(manifest)}; pass --instances ${nameOf(manifest)}=<nodes>.`,
      )
      return { usual: nodes, most: nodes, surge: surgeOf(manifest, 1) }
    }
    const usual = this.#replicas(manifest)
    const most = this.#scalerMax(manifest, usual, variants)
    return { usual, most, surge: surgeOf(manifest, most.value) }
  }

  /** The number in the manifest, or a larger one in a kustomization. */
  #replicas(manifest: FileValue): Amount {
    const kustomized = (this.#kustomized.get(nameOf(manifest)) ?? []).map((each) => each.at('count'))
    const written = [manifest.at('spec', 'replicas'), ...kustomized].flatMap(({ count, place }) =>
      count === undefined ? [] : [setTo(count, 'replicas', place)],
    )
    const byDefault = fixed(1, "Kubernetes' default of replicas", manifest.at('kind').place)
    return written.length === 0 ? byDefault : written.reduce((a, b) => (b.value > a.value ? b : a))
  }

  /** The largest maximum of the autoscalers that name this workload. */
  #scalerMax(manifest: FileValue, usual: Amount, variants: readonly FileValue[]): Amount {
    const directory = directoryOf(manifest)
    const isAlone = variants.length === 1
    const limits = this.#scalers
      .filter((scaler) => {
        const target = scaler.at('spec', 'scaleTargetRef')
        const isSameKind = (target.at('kind').text ?? 'Deployment') === kindOf(manifest)
        return (
          isSameKind && target.at('name').text === nameOf(manifest) && (isAlone || directoryOf(scaler) === directory)
        )
      })
      .map((scaler): Amount => {
        const isKeda = kindOf(scaler) === 'ScaledObject'
        const max = scaler.at('spec', isKeda ? 'maxReplicaCount' : 'maxReplicas')
        const why = `${isKeda ? 'maxReplicaCount' : 'maxReplicas'} of ${isKeda ? 'ScaledObject' : 'HPA'} ${nameOf(scaler)}`
        if (max.count !== undefined) return setTo(max.count, why, max.place)
        return isKeda ? fixed(KEDA_MAX, `${why} (default)`, scaler.at('kind').place) : usual
      })
    return limits.reduce((a, b) => (b.value > a.value ? b : a), usual)
  }

  #variables(container: FileValue) {
    const variables = new Map<string, WorkloadVariable>()
    const unknownVariables = new Set<string>()
    let hasSecrets = false
    for (const source of container.at('envFrom').items) {
      const map = this.#configMaps.get(source.at('configMapRef', 'name').text ?? '')
      const secret = this.#secrets.get(source.at('secretRef', 'name').text ?? '')
      const prefix = source.at('prefix').text ?? ''
      const isKnown = map !== undefined || secret !== undefined
      if (!isKnown) hasSecrets = true
      for (const [name, value] of [...(map?.at('data').entries ?? []), ...(secret?.at('stringData').entries ?? [])]) {
        variables.set(prefix + name, { value: value.text ?? '', place: value.place })
      }
      for (const [name] of secret?.at('data').entries ?? []) unknownVariables.add(prefix + name)
    }
    for (const entry of container.at('env').items) {
      const name = entry.at('name').text
      if (name === undefined) continue
      const value = this.#valueOf(entry)
      variables.delete(name)
      if (value?.text === undefined) unknownVariables.add(name)
      else variables.set(name, { value: value.text, place: value.place })
    }
    return { variables, unknownVariables, hasSecrets }
  }

  #valueOf(entry: FileValue): FileValue | undefined {
    if (!entry.at('value').isMissing) return entry.at('value')
    const map = entry.at('valueFrom', 'configMapKeyRef')
    const secret = entry.at('valueFrom', 'secretKeyRef')
    const fromMap = this.#configMaps.get(map.at('name').text ?? '')?.at('data', map.at('key').text ?? '')
    const fromSecret = this.#secrets.get(secret.at('name').text ?? '')?.at('stringData', secret.at('key').text ?? '')
    return fromMap ?? fromSecret
  }
}

interface Amounts {
  readonly usual: Amount
  readonly most: Amount
  readonly surge: Amount
}

function total(amounts: Amounts | undefined): number {
  return amounts ? amounts.most.value + amounts.surge.value : 0
}

/** A Service without a pod template only routes. */
function isWorkload(manifest: FileValue): boolean {
  const path = POD_SPECS[kindOf(manifest)]
  if (kindOf(manifest) === 'Service') return manifest.at('apiVersion').text?.startsWith('serving.knative.dev/') === true
  return path !== undefined
}

function kindFor(manifest: FileValue): WorkloadKind {
  return ['Job', 'CronJob'].includes(kindOf(manifest)) ? 'job' : 'service'
}

/** The containers by name: an overlay has only those parts that it changes. Init containers that stay are sidecars. */
function containersOf(variants: readonly FileValue[], merged: FileValue): readonly FileValue[] {
  const specs = variants.map((each) => each.at(...(POD_SPECS[kindOf(each)] ?? [])))
  const all = [...specs, merged].flatMap((spec) => [
    ...spec.at('containers').items,
    ...spec.at('initContainers').items.filter((each) => each.at('restartPolicy').text === 'Always'),
  ])
  const byName = new Map<string, FileValue>()
  for (const container of all) {
    const name = container.at('name').text ?? ''
    const existing = byName.get(name)
    byName.set(name, existing && existing !== container ? mergeCompose(existing, container) : container)
  }
  return [...byName.values()]
}

/** A CronJob's next run can start before the last one ends, unless concurrencyPolicy forbids it. */
function jobAmounts(manifest: FileValue): Amounts {
  const spec = kindOf(manifest) === 'CronJob' ? manifest.at('spec', 'jobTemplate', 'spec') : manifest.at('spec')
  const parallelism = spec.at('parallelism')
  const usual =
    parallelism.count === undefined
      ? fixed(1, 'one pod for each run', manifest.at('kind').place)
      : setTo(parallelism.count, 'parallelism', parallelism.place)
  return { usual, most: usual, surge: fixed(0, 'jobs have no rollout') }
}

/** Two revisions run at the same time while traffic moves: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration */
function cloudRunAmounts(manifest: FileValue): Amounts {
  const annotations = manifest.at('spec', 'template', 'metadata', 'annotations')
  const revisionMax = annotations.at('autoscaling.knative.dev/maxScale')
  const serviceMax = manifest.at('metadata', 'annotations', 'run.googleapis.com/maxScale')
  const written = revisionMax.isMissing ? serviceMax : revisionMax
  const min = annotations.at('autoscaling.knative.dev/minScale')
  const most =
    written.count === undefined
      ? fixed(CLOUD_RUN_MAX, "Cloud Run's default of maxScale", manifest.at('kind').place)
      : setTo(written.count, 'maxScale', written.place)
  const usual = min.count === undefined ? fixed(1, 'no minScale set') : fixed(min.count, 'minScale', min.place)
  return { usual, most, surge: shareOf(most.value, 1, 'the old and the new revision overlap', most.place) }
}

/** https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment */
function surgeOf(manifest: FileValue, replicas: number): Amount {
  const kind = kindOf(manifest)
  const strategy = manifest.at('spec', kind === 'DaemonSet' ? 'updateStrategy' : 'strategy')
  const type = strategy.at('type').text
  if (!strategy.at('blueGreen').isMissing || strategy.at('blueGreen').isMap) {
    return shareOf(replicas, 1, 'blueGreen runs both versions', strategy.at('blueGreen').place)
  }
  if (kind === 'StatefulSet') return fixed(0, 'a StatefulSet replaces one pod after the other')
  if (type === 'Recreate') return fixed(0, 'strategy: Recreate', strategy.at('type').place)
  const written = strategy.at(kind === 'Rollout' ? 'canary' : 'rollingUpdate', 'maxSurge')
  if (written.isMissing) {
    if (kind === 'DaemonSet') return fixed(0, "Kubernetes' default of maxSurge")
    return shareOf(replicas, 0.25, "Kubernetes' default of maxSurge, 25%", manifest.at('kind').place)
  }
  const percent = /^(\d{1,4})%$/.exec(written.text ?? '')?.[1]
  const why = `maxSurge: ${written.text}`
  if (percent === undefined) return setTo(written.count ?? 0, 'maxSurge', written.place, why)
  return { ...shareOf(replicas, Number(percent) / 100, why, written.place), setting: 'maxSurge' }
}

function kindOf(manifest: FileValue): string {
  return manifest.at('kind').text ?? ''
}

function nameOf(manifest: FileValue): string {
  return manifest.at('metadata', 'name').text ?? kindOf(manifest)
}

function directoryOf({ place }: FileValue): string {
  return place.file.split('/').slice(0, -1).join('/')
}
