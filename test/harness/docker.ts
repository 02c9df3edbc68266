import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Does a Docker engine answer, by testcontainers' own rules for finding it? On Windows it may run containers of Windows only. */
export async function dockerAnswers(): Promise<boolean> {
  if (!mayBeThere()) return false
  const { getContainerRuntimeClient } = await import('testcontainers')
  return getContainerRuntimeClient().then(
    ({ info }) => info.containerRuntime.operatingSystemType !== 'windows',
    () => false,
  )
}

/** Loading testcontainers takes half a second, which most runs without Docker can do without. */
function mayBeThere(): boolean {
  if (process.platform === 'win32' || process.env.DOCKER_HOST) return true
  const places = [
    '/var/run/docker.sock',
    join(process.env.XDG_RUNTIME_DIR ?? `/run/user/${process.getuid?.()}`, 'docker.sock'),
    join(homedir(), '.docker', 'run', 'docker.sock'),
    join(homedir(), '.docker', 'desktop', 'docker.sock'),
    join(homedir(), '.testcontainers.properties'),
  ]
  return places.some((place) => existsSync(place))
}
