import { usesContainers } from './backends/choice.ts'
import type { PgBouncerOptions, PgBouncerServer } from './pgbouncer-server.ts'

/** Starts PgBouncer in front of `upstream`. Throws `PgBouncerUnavailableError` if none is available. */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncerServer> {
  if (usesContainers()) return startInContainer(options)
  const { findPgBouncer } = await import('./find-pgbouncer.ts')
  const found = await findPgBouncer(options.version)
  if ('image' in found) return startInContainer(options)
  const { startPgBouncerProcess } = await import('./backends/process-pgbouncer.ts')
  return startPgBouncerProcess(found, options)
}

async function startInContainer(options: PgBouncerOptions): Promise<PgBouncerServer> {
  const { startContainerPgBouncer } = await import('./backends/container-pgbouncer.ts')
  return startContainerPgBouncer(options)
}
