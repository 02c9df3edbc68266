import { describe, expect, test } from 'vitest'
import { t } from '../../output/translate.ts'
import { ProjectFolder } from '../project-folder.ts'
import { folderWith } from '../testing/folder-with.ts'
import type { Workload } from '../workload.ts'
import type { DeploymentFacts } from './container.ts'
import { readDeployments } from './read-deployments.ts'

/** Reads the files, which mean the same with the line ends of Windows. */
function read(files: Readonly<Record<string, string>>): DeploymentFacts {
  const withEnds = (lineEnd: string) =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll(/\r?\n/g, lineEnd)]))
  const readWith = (lineEnd: string) =>
    readDeployments(new ProjectFolder(folderWith({ 'package.json': '{}', ...withEnds(lineEnd) })))
  const found = readWith('\n')
  expect(readWith('\r\n')).toEqual(found)
  return found
}

/** `api 2-10 +3 x4 job`: instances, surge, processes, and the kind of all but services. */
function summary({ name, kind, instances, surge, processes }: Workload): string {
  const { usual, most } = instances
  const range = usual.value === most.value ? `${most.value}` : `${usual.value}-${most.value}`
  return [
    name,
    range,
    ...(surge.value > 0 ? [`+${surge.value}`] : []),
    ...(processes.value > 1 ? [`x${processes.value}`] : []),
    ...(kind === 'service' ? [] : [kind]),
  ].join(' ')
}

function summaries(files: Readonly<Record<string, string>>): Record<string, string[]> {
  const { deployments } = read(files)
  return Object.fromEntries(deployments.map(({ name, workloads }) => [name, workloads.map(summary)]))
}

const URL = 'DATABASE_URL: postgres://app@db/app'

describe('compose', () => {
  test('the base together with its override, and other files as alternatives', () => {
    expect(
      summaries({
        'docker-compose.yml': `services: { api: { image: api, environment: { ${URL} } }, db: { image: 'postgres:18' } }`,
        'docker-compose.override.yml': 'services: { api: { scale: 2 } }',
        'docker-compose.prod.yml': 'services: { api: { deploy: { replicas: 20 } } }',
        'docker-compose.staging.yaml': `services: { api: { image: api, environment: [${URL.replace(': ', '=')}] } }`,
      }),
    ).toEqual({
      'docker-compose.yml + docker-compose.override.yml': ['api 2'],
      'docker-compose.yml + docker-compose.prod.yml': ['api 20'],
      'docker-compose.staging.yaml': ['api 1'],
    })
  })

  test('merges as docker compose does', () => {
    const { deployments } = read({
      'compose.yaml': `services:
  api:
    image: api
    command: [node, web.js]
    environment: [A=1, "B=2", DATABASE_URL=postgres://db/a]
    profiles: [tools]
  db: { image: 'postgres:18', command: [postgres, -c, max_connections=50] }
`,
      'compose.override.yaml': `services:
  api:
    command: node worker.js
    environment: { B: '3' }
    profiles: !reset []
  db: { command: postgres -c max_connections=200 }
`,
    })

    const [{ workloads, servers }] = deployments as [(typeof deployments)[number]]
    expect(workloads[0]?.command).toBe('node worker.js')
    expect([...(workloads[0]?.variables ?? [])].map(([name, { value, place }]) => [name, value, place.file])).toEqual([
      ['A', '1', 'compose.yaml'],
      ['B', '3', 'compose.override.yaml'],
      ['DATABASE_URL', 'postgres://db/a', 'compose.yaml'],
    ])
    expect(servers[0]?.maxConnections).toMatchObject({ value: 200, place: { file: 'compose.override.yaml', line: 6 } })
  })

  test('variables with defaults, from .env, and unknown ones', () => {
    const { deployments } = read({
      '.env': 'REPLICAS=7\nTAG=18',
      'compose.yaml': `services:
  a: { build: ., environment: { ${URL} }, deploy: { replicas: '\${REPLICAS:-3}' } }
  b: { build: ., environment: { ${URL} }, deploy: { replicas: '\${OTHERS:-4}' } }
  c: { build: ., environment: { ${URL} }, deploy: { replicas: '\${UNKNOWN}' } }
  db: { image: 'postgres:\${TAG}' }
`,
    })

    expect(deployments[0]?.workloads.map(summary)).toEqual(['a 7', 'b 4', 'c 1'])
    expect(deployments[0]?.workloads[2]?.instances.most.isAssumed).toBe(true)
    expect(deployments[0]?.servers[0]?.image).toMatchObject({ name: 'postgres', tag: '18' })
  })

  test('profiles, extends, the build context, and the command of a Dockerfile', () => {
    const { deployments, ignored } = read({
      'apps/api/Dockerfile':
        'FROM node AS base\nCMD ["false"]\nFROM base\nCMD ["pm2-runtime", "ecosystem.config.js"]\n',
      'compose.yaml': `services:
  api: { build: { context: ., dockerfile: apps/api/Dockerfile }, environment: { ${URL} } }
  worker: { extends: { service: api }, profiles: [workers] }
  shell: { build: ., environment: { ${URL} }, profiles: [debug] }
  web: { build: apps/web, depends_on: { db: { condition: service_healthy } } }
  db: { image: 'postgres:18' }
`,
    })

    const [{ workloads, assumed }] = deployments as [(typeof deployments)[number]]
    expect(workloads.map(({ name, app, command }) => [name, app, command])).toEqual([
      ['api', 'apps/api', 'pm2-runtime ecosystem.config.js'],
      ['worker', 'apps/api', 'pm2-runtime ecosystem.config.js'],
      ['web', 'apps/web', undefined],
    ])
    expect(assumed).toEqual([t`Assumed that profile workers is enabled, which starts worker.`])
    expect(ignored).toEqual(['compose.yaml: service shell (profile debug)'])
  })
})

describe('Kubernetes', () => {
  const pod = (env = '') =>
    `template: { spec: { containers: [{ name: api, image: 'api:1', env: [{ name: DATABASE_URL, value: 'postgres://db/a' }${env}] }] } }`

  test('replicas, autoscalers, surge, jobs', () => {
    const manifests = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec: { replicas: 4, strategy: { rollingUpdate: { maxSurge: 50% } }, ${pod()} }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: api }
spec: { scaleTargetRef: { kind: Deployment, name: api }, minReplicas: 4, maxReplicas: 21 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: admin }
spec: { replicas: 5, strategy: { type: Recreate }, ${pod()} }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: plain }
spec: { ${pod()} }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ordered }
spec: { replicas: 3, ${pod()} }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec: { schedule: '0 3 * * *', jobTemplate: { spec: { parallelism: 6, ${pod()} } } }
---
apiVersion: v1
kind: Service
metadata: { name: api }
spec: { ports: [] }
`
    const { deployments, read: files } = read({ 'k8s/all.yaml': manifests })

    expect(deployments[0]?.workloads.map(summary)).toEqual([
      'api 4-21 +11',
      'admin 5',
      'plain 1 +1',
      'ordered 3',
      'nightly 6 job',
    ])
    expect(deployments[0]?.workloads[0]).toMatchObject({
      instances: { most: { why: 'maxReplicas of HPA api', place: { file: 'k8s/all.yaml', line: 10 } } },
      surge: { why: 'maxSurge: 50%', place: { line: 5 } },
    })
    expect(files).toEqual(['k8s/all.yaml'])
  })

  test('environment from ConfigMaps and Secrets; PgBouncer and PostgreSQL as deployments', () => {
    const { deployments } = read({
      'deploy/app.yml': `
apiVersion: v1
kind: ConfigMap
metadata: { name: pool }
data: { DB_POOL_MAX: '25' }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: api
          image: registry.example.com/shop/api@sha256:abc
          envFrom: [{ configMapRef: { name: pool } }, { secretRef: { name: missing } }]
          env: [{ name: DATABASE_URL, valueFrom: { secretKeyRef: { name: db, key: url } } }]
        - { name: pgbouncer, image: 'bitnami/pgbouncer:1.22.1', env: [{ name: PGBOUNCER_MAX_CLIENT_CONN, value: '50' }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: postgres }
spec: { template: { spec: { containers: [{ name: postgres, image: 'postgres:18', args: [-c, max_connections=300] }] } } }
`,
    })

    const [{ workloads, poolers, servers }] = deployments as [(typeof deployments)[number]]
    expect(workloads.map(({ name }) => name)).toEqual(['api'])
    expect(workloads[0]?.variables.get('DB_POOL_MAX')).toEqual({
      value: '25',
      place: { file: 'deploy/app.yml', line: 5 },
    })
    expect([...(workloads[0]?.unknownVariables ?? [])]).toEqual(['DATABASE_URL'])
    expect(poolers).toMatchObject([{ name: 'api/pgbouncer', image: { tag: '1.22.1' }, processes: 3 }])
    expect(servers).toMatchObject([{ name: 'postgres', maxConnections: { value: 300 } }])
  })

  test("a kustomization's overlays: the largest counts", () => {
    const kind = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\n'
    const { deployments } = read({
      'k8s/base/api.yaml': `${kind}spec: { replicas: 1, ${pod()} }\n`,
      'k8s/overlays/staging/api.yaml': `${kind}spec: { replicas: 2 }\n`,
      'k8s/overlays/production/api.yaml': `${kind}spec: { replicas: 30 }\n`,
    })

    expect(deployments[0]?.workloads.map(summary)).toEqual(['api 30 +8'])
    expect(deployments[0]?.assumed[0]).toMatch(/^Deployment api is in k8s\/base\/api\.yaml, .*: the largest number/)
  })

  test('replicas of a kustomization', () => {
    const { deployments } = read({
      'k8s/base/api.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { replicas: 1, ${pod()} }\n`,
      'k8s/production/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../base]
replicas:
  - name: api
    count: 12
`,
    })

    expect(deployments[0]?.workloads.map(summary)).toEqual(['api 12 +3'])
    expect(deployments[0]?.workloads[0]?.instances.most.place).toEqual({
      file: 'k8s/production/kustomization.yaml',
      line: 6,
    })
  })

  test('Cloud Run: two revisions overlap; templates of Helm are not read', () => {
    const { deployments, ignored } = read({
      'service.yaml': `apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: shop }
spec:
  template:
    metadata: { annotations: { autoscaling.knative.dev/maxScale: '40', autoscaling.knative.dev/minScale: '2' } }
    spec: { containers: [{ image: gcr.io/shop, env: [{ name: DB_HOST, value: 10.0.0.3 }] }] }
`,
      'charts/api/templates/deployment.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nreplicas: {{ .Values.replicas }}\n',
    })

    expect(deployments.map(({ workloads }) => workloads.map(summary))).toEqual([['shop 2-40 +40']])
    expect(ignored).toEqual([
      'charts/api/templates/deployment.yaml (a template of Helm: check the output of helm template)',
    ])
  })
})

describe('platforms', () => {
  test('fly.toml: process groups, strategy, release command, several apps', () => {
    const fly = (app: string) => `app = "${app}"
[env]
DB_POOL_MAX = "20"
[processes]
web = "node server.js"
worker = "node worker.js"
[http_service]
processes = ["web"]
min_machines_running = 5
[deploy]
strategy = "bluegreen"
release_command = "npx prisma migrate deploy"
`
    expect(summaries({ 'fly.toml': fly('shop') })).toEqual({
      'fly.toml': ['shop/web 5 +5', 'shop/worker 2 +2', 'shop/release 1 job'],
    })
    expect(summaries({ 'a/fly.toml': 'app = "a"', 'b/fly.toml': 'app = "b"' })).toEqual({
      '2 x fly.toml': ['a 2', 'b 2'],
    })
    expect(read({ 'fly.toml': 'app = "shop"' }).deployments[0]?.assumed).toEqual([
      t`Assumed 2 machines of shop; pass --instances shop=<machines> for what fly scale show prints.`,
    ])
  })

  test('render.yaml: autoscaling, workers, cron jobs, previews, variables of groups', () => {
    const { deployments } = read({
      'render.yaml': `
previews: { generation: automatic }
envVarGroups:
  - name: pool
    envVars: [{ key: WEB_CONCURRENCY, value: 2 }]
services:
  - type: web
    name: api
    runtime: node
    rootDir: apps/api
    scaling: { minInstances: 1, maxInstances: 6 }
    envVars: [{ fromGroup: pool }, { key: DATABASE_URL, fromDatabase: { name: db, property: connectionString } }]
  - { type: cron, name: nightly, runtime: node, schedule: '0 3 * * *' }
  - { type: web, name: site, runtime: static }
  - { type: keyvalue, name: cache }
`,
    })

    expect(deployments[0]?.workloads.map(summary)).toEqual([
      'api 1-6 +6 x2',
      'nightly 1 job',
      'api (preview) 1 x2 preview',
    ])
    expect(deployments[0]?.workloads[0]).toMatchObject({ app: 'apps/api' })
  })

  test('Procfile with app.json', () => {
    expect(
      summaries({
        Procfile:
          '# comment\nweb: node dist/server.js\nworker: node dist/worker.js\nrelease: npx prisma migrate deploy\n',
        'app.json': '{"formation":{"web":{"quantity":4}},"env":{"WEB_CONCURRENCY":{"value":"3"}}}',
      }),
    ).toEqual({ Procfile: ['web 4 x3', 'worker 1 x3', 'release 1 job'] })
  })

  test.each([
    [
      'ecosystem.config.js',
      'const cpus = 6\nmodule.exports = { apps: [{ name: "api", script: "s.js", instances: cpus }, { name: "w", instances: "max" }, { name: "x", instances: -1 }, { name: "y", instances: require("os").cpus().length }] }',
    ],
    [
      'ecosystem.config.mjs',
      'export default { apps: [{ name: "api", instances: 6 }, { name: "w", exec_mode: "cluster", instances: 0 }, { name: "x", instances: "-1" }, { name: "y" }] }',
    ],
    [
      'pm2.json',
      '{"apps":[{"name":"api","instances":6},{"name":"w","instances":"max"},{"name":"x","instances":-1},{"name":"y"}]}',
    ],
  ])('PM2: %s', (file, text) => {
    expect(summaries({ [file]: text })).toEqual({ [file]: ['api 1 x6', 'w 1 x4', 'x 1 x3', 'y 1'] })
  })

  test('ECS: two files for one service, and a scalable target', () => {
    const { deployments } = read({
      'infra/task-definition.json': JSON.stringify({
        family: 'api',
        containerDefinitions: [
          {
            name: 'api',
            image: 'api:1',
            environment: [{ name: 'DB_HOST', value: 'x' }],
            secrets: [{ name: 'DB_PASSWORD' }],
          },
          { name: 'logs', image: 'fluent-bit' },
        ],
      }),
      'infra/ecs-service.json': JSON.stringify({
        serviceName: 'api-service',
        taskDefinition: 'api:12',
        desiredCount: 4,
      }),
      'infra/scaling.json': JSON.stringify({ ResourceId: 'service/cluster/api-service', MaxCapacity: 12 }),
    })

    expect(deployments[0]?.workloads.map(summary)).toEqual(['api-service/api 4-12 +12'])
    expect(deployments[0]?.workloads[0]?.surge.why).toBe("ECS' default of maximumPercent, 200")
  })

  test('vercel.json: functions and previews', () => {
    expect(summaries({ 'vercel.json': '{}' })).toEqual({ 'vercel.json': ['functions 10', 'preview 1 preview'] })
    expect(summaries({ 'apps/web/vercel.json': '{"git":{"deploymentEnabled":false}}' })).toEqual({
      'apps/web/vercel.json': ['functions apps/web 10'],
    })
  })
})
