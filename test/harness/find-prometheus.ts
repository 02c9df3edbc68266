import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { describe } from 'vitest'
import { unpackDebianPackage } from './debian-package.ts'
import { describeWhereFound } from './describe-where.ts'

/** Both come together, in one folder. */
export interface PrometheusPrograms {
  readonly prometheus: string
  readonly promtool: string
}

export class PrometheusUnavailableError extends Error {
  override readonly name = 'PrometheusUnavailableError'
  readonly code = 'PROMETHEUS_UNAVAILABLE'
}

let found: Promise<PrometheusPrograms> | undefined

/** The first of: those on PATH, those unpacked from a Debian package. */
export function findPrometheus(): Promise<PrometheusPrograms> {
  found ??= search()
  return found
}

async function search(): Promise<PrometheusPrograms> {
  const onPath = (process.env.PATH?.split(delimiter) ?? [])
    .map(programsIn)
    .find((each) => existsSync(each.prometheus) && existsSync(each.promtool))
  if (onPath) return onPath
  const programs = ['/usr/bin/prometheus', '/usr/bin/promtool']
  try {
    return programsIn(await unpackDebianPackage({ suite: 'bookworm', name: 'prometheus', programs }))
  } catch (error) {
    const why = (error as Error).message
    throw new PrometheusUnavailableError(`Prometheus is not available: put it and promtool on PATH (${why})`)
  }
}

function programsIn(folder: string): PrometheusPrograms {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return { prometheus: join(folder, `prometheus${suffix}`), promtool: join(folder, `promtool${suffix}`) }
}

/** As `describeWithPgBouncer`, for tests that need Prometheus or promtool; to be awaited at the top of a test file. */
export async function describeWithPrometheus(): Promise<ReturnType<typeof describe.skipIf>> {
  return describeWhereFound(findPrometheus())
}
