import { usesContainers } from './backends/choice.ts'
import type { PostgresOptions, PostgresServer } from './postgres-server.ts'

/** Starts a server, by default PostgreSQL 18 from an npm package; `POOLGUARD_TEST_BACKEND=testcontainers` uses Docker. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  if (usesContainers()) {
    if (options.standbyOf)
      throw new Error('the harness has no standby in a container: its data is a copy made on this machine')
    const { startContainerPostgres } = await import('./backends/container-postgres.ts')
    return startContainerPostgres(options)
  }
  const { startNpmPostgres } = await import('./backends/npm-postgres.ts')
  return startNpmPostgres(options)
}
