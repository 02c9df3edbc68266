import { getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers'
import { waitUntil } from '../wait-until.ts'
import { endsServer } from './choice.ts'

/** Sends the container's main process a signal, and waits for its end if that is what the signal means. */
export async function signalContainer(container: StartedTestContainer, signal: NodeJS.Signals): Promise<void> {
  const client = await getContainerRuntimeClient()
  const docker = client.container.getById(container.getId())
  await docker.kill({ signal })
  if (!endsServer(signal)) return
  await waitUntil(async () => !(await client.container.inspect(docker)).State.Running, {
    what: 'the container has ended',
  })
}
