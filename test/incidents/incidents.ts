import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { runPoolguard } from '../integration/run-poolguard.ts'

/** The configuration of a public incident, imitated in a directory of this folder: as it failed, and corrected. */
export interface Incident {
  readonly directory: string
  /** What happened, for the table in the README. */
  readonly title: string
  /** Options of `check`. The limit comes from the deployment files, if they start the server. */
  readonly args: readonly string[]
  readonly rule: string
  /** The line to change. */
  readonly place: { readonly file: string; readonly line: number }
}

const LIMIT = ['--max-connections', '100']

export const INCIDENTS: readonly Incident[] = [
  {
    directory: 'scaling-out',
    title: 'The autoscaler adds instances, and the sum of all pools exceeds `max_connections`',
    args: LIMIT,
    rule: 'pools-exceed-capacity',
    place: { file: 'src/db.js', line: 5 },
  },
  {
    directory: 'deploy-doubles-workers',
    title: 'Two workers for each service, and each deploy doubles them',
    args: LIMIT,
    rule: 'pools-exceed-capacity',
    place: { file: 'render.yaml', line: 7 },
  },
  {
    directory: 'three-pools-per-process',
    title: 'Three pools in each process: the app, its reports, and the session store',
    args: [],
    rule: 'pools-exceed-capacity',
    place: { file: 'src/db.js', line: 4 },
  },
  {
    directory: 'tenant-admin-and-job-pools',
    title: 'Pools for tenants, administration and jobs that together exceed 100',
    args: [],
    rule: 'pools-exceed-capacity',
    place: { file: 'src/pools.js', line: 6 },
  },
  {
    directory: 'static-build-workers',
    title: 'A static build with one client for each of its workers, beside the running app',
    args: LIMIT,
    rule: 'pools-exceed-capacity',
    place: { file: 'src/lib/db.js', line: 3 },
  },
  {
    directory: 'next-dev-reloads',
    title: '`next dev` opens another pool whenever it reloads a module',
    args: [],
    rule: 'pool-per-reload',
    place: { file: 'src/lib/db.js', line: 3 },
  },
  {
    directory: 'libraries-with-pools',
    title: 'Libraries that open a pool of their own: pg-boss, better-auth, the checkpointer of LangGraph',
    args: [],
    rule: 'pools-exceed-capacity',
    place: { file: 'src/agent.js', line: 3 },
  },
  {
    directory: 'rollout-doubles-pods',
    title: 'A rollout that runs the old and the new pods at the same time',
    args: LIMIT,
    rule: 'pools-exceed-capacity',
    place: { file: 'src/data-source.js', line: 6 },
  },
]

/** A finding as `check --json` prints it. */
export interface PrintedFinding {
  readonly rule: string
  readonly evidence: string
  readonly change: string
  readonly place?: { readonly file: string; readonly line?: number }
}

export interface Checked {
  readonly code: number | null
  readonly findings: readonly PrintedFinding[]
}

/** Runs `check` in the directory of an incident. */
export async function checkIncident({ directory, args }: Incident, state: 'failing' | 'corrected'): Promise<Checked> {
  const folder = join(import.meta.dirname, directory, state)
  const { code, stdout } = await runPoolguard(['check', ...args, '--json'], { folder })
  return { code, findings: JSON.parse(stdout).findings }
}

/** The directories of this folder. */
export function incidentDirectories(): readonly string[] {
  const entries = readdirSync(import.meta.dirname, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
