import { GenericContainer, TestContainers } from 'testcontainers'
import { connectionUrl } from '../credentials.ts'
import { pgBouncerImages } from '../find-pgbouncer.ts'
import { freePort } from '../free-port.ts'
import { iniText, makeConsoleUsers, userlistText } from '../pgbouncer-config.ts'
import type { PgBouncerOptions, PgBouncerServer } from '../pgbouncer-server.ts'
import { queryOnce } from '../query-once.ts'
import { waitUntil } from '../wait-until.ts'
import { ContainerLog } from './container-log.ts'
import { signalContainer } from './container-signal.ts'

const inContainer = 6432
const ini = '/tmp/pgbouncer.ini'
const userlist = '/tmp/userlist.txt'

/** PgBouncer in a container. See the README for when this was last exercised. */
export async function startContainerPgBouncer(options: PgBouncerOptions): Promise<PgBouncerServer> {
  const users = makeConsoleUsers()
  // The same way for an upstream that is a process here and for one whose container has a port here.
  await TestContainers.exposeHostPorts(options.upstream.port)
  const upstream = { host: 'host.testcontainers.internal', port: options.upstream.port }
  const configuration = iniText({ listen: { host: '*', port: inContainer }, upstream, userlist, users, options })
  const containerLog = new ContainerLog()
  const container = await new GenericContainer(pgBouncerImages[options.version ?? '1.24'])
    // Not the image's own entrypoint, which writes a configuration from environment variables.
    .withEntrypoint(['pgbouncer', ini])
    .withCopyContentToContainer([
      { content: configuration, target: ini },
      { content: userlistText(users), target: userlist },
    ])
    .withExposedPorts({ container: inContainer, host: await freePort() })
    .withLogConsumer(containerLog.consume)
    .start()

  const address = { host: container.getHost(), port: container.getMappedPort(inContainer) }
  const adminUrl = connectionUrl(address, users.admin)
  const askVersion = () => queryOnce<{ version: string }>(adminUrl, 'SHOW VERSION')
  const [row] = await waitUntil(askVersion, { what: 'PgBouncer answers' })
  let stopped = false

  async function stop(): Promise<void> {
    if (stopped) return
    stopped = true
    await container.stop()
  }

  return {
    version: row?.version.replace('PgBouncer ', '') ?? '',
    poolMode: options.poolMode ?? 'transaction',
    ...address,
    url: connectionUrl(address),
    adminUrl,
    statsUrl: connectionUrl(address, users.stats),
    urlFor: (target) => connectionUrl(address, target),
    show: (what) => queryOnce(adminUrl, `SHOW ${what}`),
    log: () => containerLog.text(),
    stop,
    async restart() {
      const since = Math.floor(Date.now() / 1000)
      await container.restart()
      containerLog.consume(await container.logs({ since }))
      await waitUntil(askVersion, { what: 'PgBouncer is up again' })
    },
    kill: (signal) => signalContainer(container, signal),
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}
