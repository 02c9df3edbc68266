import { MOUNTED, ownUsers, startScript, USERLIST } from '../compose-scripts.ts'
import { IMAGES } from '../images.ts'
import { POOLER_PORT, pgBouncerIni, STATS_USER } from '../pgbouncer-ini.ts'
import type { Place } from '../place.ts'
import type { PoolerPlan } from '../pooler-plan.ts'
import type { YamlComment } from '../yaml-comments.ts'
import { LOCKED_DOWN, labels, POOLER, POOLER_SECRET } from './names.ts'

/** Not below /run/secrets, where Kubernetes mounts the token of the service account. */
const SECRETS = '/etc/pgbouncer-secrets'
/** The user `postgres` of the image. */
const IMAGE_USER = 70
const EXPORTER_PORT = 9127

/** PgBouncer's configuration and start script. */
export function poolerConfiguration(plan: PoolerPlan, place: Place): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: POOLER, labels: labels(POOLER) },
    data: {
      'pgbouncer.ini': pgBouncerIni({ plan, place, authFile: USERLIST }),
      'start.sh': startScript(ownUsers(SECRETS), `set it in the Secret ${POOLER_SECRET}`),
    },
  }
}

/** One PgBouncer for all pods. */
export function poolerDeployment(monitoring: boolean): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: POOLER, labels: labels(POOLER) },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: labels(POOLER) },
      template: {
        metadata: { labels: labels(POOLER) },
        spec: {
          terminationGracePeriodSeconds: 60,
          automountServiceAccountToken: false,
          securityContext: POD_SECURITY,
          containers: [poolerContainer(), ...(monitoring ? [exporter()] : [])],
          volumes: poolerVolumes(),
        },
      },
    },
  }
}

const ITS_POD = ['spec', 'template', 'spec'] as const

/** Comments in the Deployment of PgBouncer. */
export const POOLER_COMMENTS: readonly YamlComment[] = [
  [['spec', 'replicas'], 'One for all pods of the app.'],
  [
    ['spec', 'strategy'],
    'Two at the same time could open twice the connections of the plan. Pools connect again within seconds.',
  ],
  [
    [...ITS_POD, 'containers', 0, 'lifecycle'],
    'SIGINT lets transactions finish; SIGTERM would wait for all clients to disconnect.',
  ],
]

export function poolerService(): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: POOLER, labels: labels(POOLER) },
    spec: { selector: labels(POOLER), ports: [{ name: 'postgres', port: POOLER_PORT, targetPort: 'postgres' }] },
  }
}

/** A native sidecar starts before the app and ends after it (Kubernetes 1.29 or later). */
export function poolerSidecar(): object {
  return { ...poolerContainer(), restartPolicy: 'Always', securityContext: { ...LOCKED_DOWN, runAsUser: IMAGE_USER } }
}

const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: IMAGE_USER,
  runAsGroup: IMAGE_USER,
  fsGroup: IMAGE_USER,
  seccompProfile: { type: 'RuntimeDefault' },
} as const

function poolerContainer(): object {
  return {
    name: POOLER,
    image: IMAGES.pgbouncer,
    command: ['sh', `${MOUNTED}/start.sh`],
    ports: [{ name: 'postgres', containerPort: POOLER_PORT }],
    readinessProbe: { tcpSocket: { port: 'postgres' }, periodSeconds: 5 },
    lifecycle: { preStop: { exec: { command: ['sh', '-c', 'sleep 5; kill -INT 1'] } } },
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '256Mi' } },
    securityContext: LOCKED_DOWN,
    volumeMounts: [
      { name: 'pgbouncer-config', mountPath: MOUNTED, readOnly: true },
      { name: 'pgbouncer-secrets', mountPath: SECRETS, readOnly: true },
      { name: 'pgbouncer-tmp', mountPath: '/tmp' },
    ],
  }
}

export function poolerVolumes(): readonly object[] {
  return [
    { name: 'pgbouncer-config', configMap: { name: POOLER } },
    { name: 'pgbouncer-secrets', secret: { secretName: POOLER_SECRET } },
    { name: 'pgbouncer-tmp', emptyDir: { medium: 'Memory' } },
  ]
}

/** https://github.com/prometheus-community/pgbouncer_exporter */
function exporter(): object {
  const url = `postgres://${STATS_USER}:$(STATS_PASSWORD)@127.0.0.1:${POOLER_PORT}/pgbouncer?sslmode=disable`
  return {
    name: 'exporter',
    image: IMAGES.exporter,
    ports: [{ name: 'metrics', containerPort: EXPORTER_PORT }],
    env: [
      {
        name: 'STATS_PASSWORD',
        valueFrom: { secretKeyRef: { name: POOLER_SECRET, key: `${STATS_USER}_password` } },
      },
      { name: 'PGBOUNCER_EXPORTER_CONNECTION_STRING', value: url },
    ],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '64Mi' } },
    securityContext: LOCKED_DOWN,
  }
}
