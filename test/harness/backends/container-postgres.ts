import { GenericContainer } from 'testcontainers'
import { appDatabase, appRole, superuser } from '../credentials.ts'
import { freePort } from '../free-port.ts'
import { type PostgresOptions, type PostgresServer, type StopMode, stopSignals } from '../postgres-server.ts'
import { postgresSettings } from '../postgres-settings.ts'
import { waitUntil } from '../wait-until.ts'
import { ContainerLog } from './container-log.ts'
import { signalContainer } from './container-signal.ts'
import { postgresQueries } from './postgres-queries.ts'

const inContainer = 5432

// The image runs this once, before it says that it is ready.
const firstStatements = `
CREATE ROLE ${appRole.user} LOGIN NOSUPERUSER PASSWORD '${appRole.password}';
CREATE DATABASE ${appDatabase} OWNER ${appRole.user};
`

/** PostgreSQL in a container. See the README for when this was last exercised. */
export async function startContainerPostgres(options: PostgresOptions): Promise<PostgresServer> {
  // The image's start script speaks to the server through its socket.
  const settings = { ...postgresSettings(options), unix_socket_directories: '/var/run/postgresql' }
  const containerLog = new ContainerLog()
  const container = await new GenericContainer(`postgres:${options.version ?? 18}-alpine`)
    .withEnvironment({ POSTGRES_PASSWORD: superuser.password, POSTGRES_INITDB_ARGS: '--locale=C --encoding=UTF8' })
    .withCopyContentToContainer([{ content: firstStatements, target: '/docker-entrypoint-initdb.d/app.sql' }])
    .withCommand([
      'postgres',
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ...(options.arguments ?? []),
    ])
    // A port of our choice, because Docker would give another one after a restart.
    .withExposedPorts({ container: inContainer, host: await freePort() })
    .withLogConsumer(containerLog.consume)
    .start()

  const address = { host: container.getHost(), port: container.getMappedPort(inContainer) }
  const queries = postgresQueries(address)
  const askVersion = () => queries.query<{ version: string }>(`SELECT current_setting('server_version') AS version`)
  const [row] = await waitUntil(askVersion, { what: 'the server answers' })
  let stopped = false

  async function stop(mode: StopMode = 'fast'): Promise<void> {
    if (stopped) return
    stopped = true
    // A killed one has ended already.
    await signalContainer(container, stopSignals[mode]).catch(() => {})
    await container.stop()
  }

  return {
    version: row?.version.split(' ')[0] ?? '',
    ...address,
    ...queries,
    log: () => containerLog.text(),
    stop,
    async restart() {
      const since = Math.floor(Date.now() / 1000)
      await container.restart()
      containerLog.consume(await container.logs({ since }))
      await waitUntil(askVersion, { what: 'the server is up again' })
    },
    kill: (signal) => signalContainer(container, signal),
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}
