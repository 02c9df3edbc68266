import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPrometheus } from './find-prometheus.ts'
import { loopback, onFreePort, PortTakenError } from './free-port.ts'
import { makeServerFolder, removeServerFolder } from './server-folder.ts'
import { ServerProcess } from './server-process.ts'
import { giveToServerUser } from './server-user.ts'

const startMillis = 10_000
const stopMillis = 5_000

/** A page that is scraped. */
export interface ScrapeJob {
  readonly name: string
  /** Host and port. */
  readonly target: string
  readonly path: string
}

export interface PrometheusOptions {
  readonly jobs: readonly ScrapeJob[]
  /** A file of rules. */
  readonly rules?: string
  /** Between two looks at the targets, and at the rules. Default: 200. */
  readonly intervalMillis?: number
}

/** One series of an instant query's answer. */
export interface QueriedSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: number
}

/** What the rules have to say at the moment. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

/** A real, running Prometheus. */
export interface PrometheusServer extends AsyncDisposable {
  readonly url: string
  /** Throws what Prometheus has against the query. */
  query(expr: string): Promise<QueriedSample[]>
  alerts(): Promise<ActiveAlert[]>
  log(): string
  stop(): Promise<void>
}

/** Starts Prometheus. Throws `PrometheusUnavailableError` if none is available. */
export async function startPrometheus(options: PrometheusOptions): Promise<PrometheusServer> {
  const { prometheus } = await findPrometheus()
  const folder = makeServerFolder('prometheus')
  try {
    for (const [name, text] of Object.entries(filesOf(options))) {
      writeFileSync(join(folder, name), text)
      giveToServerUser(join(folder, name))
    }
    return await onFreePort((port) => startOn(port, prometheus, folder))
  } catch (error) {
    removeServerFolder(folder)
    throw error
  }
}

/** JSON is YAML. */
function filesOf({ jobs, rules, intervalMillis = 200 }: PrometheusOptions): Record<string, string> {
  const interval = `${intervalMillis}ms`
  const configuration = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: rules === undefined ? [] : ['rules.yml'],
    scrape_configs: jobs.map(({ name, target, path }) => ({
      job_name: name,
      metrics_path: path,
      static_configs: [{ targets: [target] }],
    })),
  }
  return { 'prometheus.yml': JSON.stringify(configuration), ...(rules !== undefined && { 'rules.yml': rules }) }
}

async function startOn(port: number, program: string, folder: string): Promise<PrometheusServer> {
  const url = `http://${loopback}:${port}`
  const process = await ServerProcess.start({
    program,
    args: ['--config.file=prometheus.yml', '--storage.tsdb.path=data', `--web.listen-address=${loopback}:${port}`],
    cwd: folder,
    logFile: join(folder, 'server.log'),
    reaperSignal: 'SIGKILL',
  })
  try {
    await process.untilReady(async () => (await fetch(`${url}/-/ready`)).ok, startMillis)
  } catch (error) {
    await process.end('SIGKILL', stopMillis)
    if (/address already in use/.test(process.log()))
      throw new PortTakenError(`port ${port} was taken`, { cause: error })
    throw error
  }
  const stop = async () => {
    // It has nothing to save.
    await process.end('SIGKILL', stopMillis)
    removeServerFolder(folder)
  }
  return {
    url,
    query: async (expr) => {
      const { result } = await ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
        `${url}/api/v1/query?query=${encodeURIComponent(expr)}`,
      )
      return result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
    },
    alerts: async () => (await ask<{ alerts: ActiveAlert[] }>(`${url}/api/v1/alerts`)).alerts,
    log: () => process.log(),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function ask<Data>(url: string): Promise<Data> {
  const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: Data }
  if (answer.status !== 'success') throw new Error(`Prometheus: ${answer.error}`)
  return answer.data
}
