import { type PlanInput, surgeInstances } from '@poolguard/core/postgres'
import { APP_PORT, appEnvironment, GENERATED_POOLER, type Wiring } from '../app-environment.ts'
import type { Place } from '../place.ts'
import type { YamlComment } from '../yaml-comments.ts'
import { appSecret, labels } from './names.ts'

export interface AppInput {
  readonly name: string
  readonly image: string
  readonly place: Place
  /** PgBouncer's host name for the app. */
  readonly poolerHost: string
  readonly poolerPort: number
  readonly maxPerPool: number
  readonly input: PlanInput
  readonly wiring: Wiring
}

export interface Sidecar {
  readonly container: object
  readonly volumes: readonly object[]
}

/** The app fails its readiness probe for this time before it stops accepting (`closeDelayMillis`). */
const CLOSE_DELAY_SECONDS = 5
/** poolguard waits this long for connections in use (`drainMillis`). */
const DRAIN_SECONDS = 10
const SPARE_SECONDS = 5

/** The app's Deployment and Service. A sidecar is an entry of `initContainers` and of `volumes`. */
export function appDeployment(app: AppInput, sidecar?: Sidecar): object {
  const { name, image, input } = app
  const surge = surgeInstances(input.instances, input.maxSurge)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: labels(name) },
    spec: {
      replicas: input.instances,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: surge > 0 ? 0 : 1 } },
      selector: { matchLabels: labels(name) },
      template: {
        metadata: { labels: labels(name) },
        spec: {
          terminationGracePeriodSeconds: CLOSE_DELAY_SECONDS + DRAIN_SECONDS + SPARE_SECONDS,
          ...(sidecar && { initContainers: [sidecar.container] }),
          containers: [
            {
              name,
              image,
              ports: [{ name: 'http', containerPort: APP_PORT }],
              env: environmentOf(app),
              livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
              readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 2, failureThreshold: 2 },
              resources: { requests: { cpu: '250m', memory: '256Mi' }, limits: { memory: '512Mi' } },
            },
          ],
          ...(sidecar && { volumes: sidecar.volumes }),
        },
      },
    },
  }
}

const ITS_POD = ['spec', 'template', 'spec'] as const

/** Comments in the Deployment of the app. */
export const APP_COMMENTS: readonly YamlComment[] = [
  [
    ['spec', 'replicas'],
    'The plan is for this number of pods. To change it, run `poolguard generate kubernetes --force` again.',
  ],
  [[...ITS_POD, 'terminationGracePeriodSeconds'], 'closeDelayMillis (5 s) + drainMillis (10 s) + 5 s'],
  [[...ITS_POD, 'initContainers'], 'A native sidecar (Kubernetes 1.29): it starts before the app, and ends after it.'],
  [[...ITS_POD, 'containers', 0, 'livenessProbe'], 'Without the database: restarting the app does not repair it.'],
  [
    [...ITS_POD, 'containers', 0, 'readinessProbe'],
    'Routes of @poolguard/fastify, @poolguard/nestjs and @poolguard/web.',
  ],
]

export function appService(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels: labels(name) },
    spec: { selector: labels(name), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  }
}

/** Kubernetes fills `$(DB_PASSWORD)` from the Secret: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/ */
function environmentOf({ name, place, poolerHost, poolerPort, maxPerPool, wiring }: AppInput): readonly object[] {
  const placeholder = 'DB_PASSWORD'
  const parameters = place.parameters.filter(([parameter]) => parameter === 'schema')
  const variables = appEnvironment({
    place,
    pooler: { host: poolerHost, port: poolerPort, parameters },
    traits: GENERATED_POOLER,
    password: placeholder,
    maxPerPool,
    wiring,
  })
  return [
    { name: placeholder, valueFrom: { secretKeyRef: { name: appSecret(name), key: 'password' } } },
    ...variables.map((variable) => ({
      name: variable.name,
      value: variable.value.replace(`:${placeholder}@`, `:$(${placeholder})@`),
    })),
  ]
}
