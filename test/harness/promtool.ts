import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { findPrometheus } from './find-prometheus.ts'

/** What `promtool check metrics` has against a page in Prometheus' text format, a line each. */
export async function checkMetrics(page: string): Promise<string[]> {
  const { promtool } = await findPrometheus()
  const child = spawn(promtool, ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] })
  child.stdin.end(page)
  const [said] = await Promise.all([text(child.stderr), once(child, 'close')])
  return said.split('\n').filter((line) => line !== '')
}

/** What `promtool check rules` prints; throws, with that, where it finds fault. */
export function checkRules(rules: string): Promise<string> {
  return runPromtool(['check', 'rules', 'rules.yml'], { 'rules.yml': rules })
}

/** What `promtool check config` prints of `prometheus.yml`, whose rules are checked with it; throws, with that, where it finds fault. */
export function checkPrometheusConfig(files: Readonly<Record<string, string>>): Promise<string> {
  return runPromtool(['check', 'config', 'prometheus.yml'], files)
}

/**
 * Runs `promtool test rules`; throws, with what it prints, where a test fails.
 *
 * @param tests as https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/ has them, but for `rule_files`.
 */
export function testRules(rules: string, tests: object): Promise<string> {
  // JSON is YAML.
  const file = JSON.stringify({ rule_files: ['rules.yml'], ...tests })
  return runPromtool(['test', 'rules', 'tests.yml'], { 'rules.yml': rules, 'tests.yml': file })
}

async function runPromtool(args: readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  const { promtool } = await findPrometheus()
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-promtool-'))
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const { stdout } = await promisify(execFile)(promtool, args, { cwd: folder, timeout: 60_000 })
    return stdout
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}` || message, { cause: error })
  } finally {
    await rm(folder, { recursive: true })
  }
}
