import { PodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1'
import { Deployment } from 'kubernetes-models/apps/v1'
import { ConfigMap, Service } from 'kubernetes-models/v1'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import type { Generated } from '../generated-file.ts'
import { planPooler } from '../pooler-plan.ts'
import { generateKubernetes, type KubernetesInput } from './kubernetes.ts'

const INPUT = {
  capacity: {
    maxConnections: 100,
    reserved: 3,
    roleLimit: null,
    databaseLimit: null,
    used: 0,
    usedByRole: 0,
    usedByDatabase: 0,
  },
  instances: 4,
  maxSurge: 1,
}

function generate(options: Partial<KubernetesInput> = {}): Generated {
  return generateKubernetes({
    plan: planPooler(INPUT),
    input: INPUT,
    place: {
      host: 'db.example.com',
      port: 5432,
      database: 'orders',
      role: 'app',
      parameters: [['sslmode', 'verify-full']],
    },
    wiring: { packages: new Map([['pg', '8']]), drivers: ['pg'] },
    name: 'orders',
    image: 'registry.example.com/orders:1.4.2',
    sidecar: false,
    monitoring: true,
    ...options,
  })
}

const KINDS = { Deployment, Service, ConfigMap, PodMonitor } as const

interface Manifest {
  readonly kind: keyof typeof KINDS
  readonly metadata: { readonly name: string }
  readonly spec: Spec
  readonly data: Readonly<Record<string, string>>
}

// biome-ignore lint/suspicious/noExplicitAny: the schemas check the types
type Spec = any

function manifestsOf({ files }: Generated): readonly Manifest[] {
  const yaml = files.filter(({ path }) => path.endsWith('.yaml'))
  return yaml.flatMap(({ content }) => parseAllDocuments(content).map((document) => document.toJS() as Manifest))
}

function find(generated: Generated, kind: string, name: string): Manifest {
  const found = manifestsOf(generated).find((each) => each.kind === kind && each.metadata.name === name)
  if (!found) throw new Error(`no ${kind} ${name}`)
  return found
}

describe('generate kubernetes', () => {
  test.each([
    ['one PgBouncer', {}],
    ['a sidecar', { sidecar: true }],
  ])("is valid by Kubernetes' schemas with %s", (_what, options) => {
    const manifests = manifestsOf(generate(options))

    expect(manifests.length).toBeGreaterThan(3)
    for (const manifest of manifests) {
      const Kind = KINDS[manifest.kind] as new (data: unknown) => { validate(): void }
      expect(() => new Kind(manifest).validate()).not.toThrow()
    }
  })

  test('the schemas find errors', () => {
    const { metadata, spec } = find(generate(), 'Deployment', 'orders')
    const broken = { metadata, spec: { ...spec, replicas: 'many' } }
    expect(() => new Deployment(broken as never).validate()).toThrow('replicas')
  })

  test('gives the app the plan, and its password from a Secret', () => {
    const generated = generate()
    const { spec } = find(generated, 'Deployment', 'orders')
    const [container] = spec.template.spec.containers

    expect(spec).toMatchObject({ replicas: 4, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } })
    expect(spec.template.spec.terminationGracePeriodSeconds).toBe(20)
    expect(container.env).toEqual([
      { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'orders-db', key: 'password' } } },
      { name: 'DATABASE_URL', value: 'postgresql://app:$(DB_PASSWORD)@pgbouncer:6432/orders' },
      { name: 'DIRECT_URL', value: 'postgresql://app:$(DB_PASSWORD)@db.example.com:5432/orders?sslmode=verify-full' },
      { name: 'DB_POOL_MAX', value: String(generated.budget?.maxPerPool) },
    ])
  })

  test('replaces PgBouncer instead of running two, and gives it no token of the cluster', () => {
    const { spec } = find(generate(), 'Deployment', 'pgbouncer')

    expect(spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } })
    expect(spec.template.spec).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true },
    })
  })

  test('divides the connections over the sidecars', () => {
    const plan = planPooler(INPUT)
    const { data } = find(generate({ sidecar: true }), 'ConfigMap', 'pgbouncer')
    const [, each] = /^max_db_connections = (\d+)$/m.exec(data['pgbouncer.ini'] ?? '') ?? []

    // Four pods, and one more during an update.
    expect(Number(each)).toBe(Math.floor(plan.maxDbConnections / 5))
  })

  test('rejects sidecars that would get no connection', () => {
    const input = { ...INPUT, instances: 60 }
    expect(() => generate({ sidecar: true, input, plan: planPooler(input) })).toThrow('without --sidecar')
  })

  test('has no PodMonitor without monitoring', () => {
    expect(manifestsOf(generate({ monitoring: false })).map(({ kind }) => kind)).not.toContain('PodMonitor')
  })
})
