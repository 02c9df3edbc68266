/** Creates `.env` with random passwords if it is missing, then builds and starts everything. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..')

if (!existsSync(join(folder, '.env'))) {
  writeFileSync(join(folder, '.env'), filledIn(readFileSync(join(folder, '.env.example'), 'utf8')), { mode: 0o600 })
  console.log('Wrote .env with random passwords.')
}
const compose = spawn('docker', ['compose', 'up', '--build', '--detach', '--wait'], { cwd: folder, stdio: 'inherit' })
const [code] = await Promise.race([once(compose, 'exit'), once(compose, 'error').then(() => [1])])
process.exitCode = Number(code)
if (code === 0) {
  console.log('The app: http://localhost:3100/notes  Prometheus: http://localhost:9090  Grafana: http://localhost:3001')
} else {
  console.error('This example needs Docker with its Compose plugin: https://docs.docker.com/engine/install/')
}

function filledIn(example: string): string {
  return example.replaceAll(/^(\w+)=$/gm, (_, name: string) => `${name}=${randomBytes(24).toString('hex')}`)
}
