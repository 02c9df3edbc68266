import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runServer } from 'verdaccio'
import { buildAll, packAll } from '../packaging/pack.ts'
import { portableCommand } from '../portable-command.ts'

const run = promisify(execFile)

/** A registry on this machine that has the packed packages, and everything else from the registry of npm's configuration. */
export interface LocalRegistry extends AsyncDisposable {
  readonly url: string
}

/** The registry that npm is configured for here, or why it does not answer. */
export async function findUpstream(): Promise<string | Error> {
  const { file, args, shell } = portableCommand('npm', ['config', 'get', 'registry'])
  const { stdout } = await run(file, args, { cwd: tmpdir(), shell })
  const url = stdout.trim()
  try {
    const response = await fetch(new URL('pg', url), { method: 'HEAD', signal: AbortSignal.timeout(20_000) })
    return response.ok ? url : new Error(`the registry of npm's configuration answers ${response.status}`)
  } catch {
    return new Error("the registry of npm's configuration does not answer")
  }
}

/** Builds and packs every package, and publishes it as npm does. */
export async function startRegistry(upstream: string): Promise<LocalRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'poolguard-registry-'))
  const server = await listen(folder, upstream)
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/`
  await buildAll()
  for (const tarball of await packAll(folder)) await publish(tarball, url)
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function listen(folder: string, upstream: string): Promise<Server> {
  const own = { access: '$all', publish: '$all' }
  const server: Server = await runServer({
    storage: join(folder, 'storage'),
    // Verdaccio looks for its other files beside this one.
    self_path: folder,
    uplinks: { upstream: { url: upstream, timeout: '60s', maxage: '1h', max_fails: 20 } },
    packages: { '@poolguard/*': own, poolguard: own, '**': { access: '$all', proxy: 'upstream' } },
    auth: { htpasswd: { file: join(folder, 'htpasswd') } },
    log: { type: 'stdout', level: 'fatal' },
    web: { enable: false },
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function publish(tarball: string, url: string): Promise<void> {
  // npm publishes nothing without a token; this registry takes any.
  const token = `--${url.replace('http:', '')}:_authToken=any`
  const words = ['publish', tarball, '--registry', url, token, '--ignore-scripts', '--provenance=false']
  const { file, args, shell } = portableCommand('npm', words)
  await run(file, args, { shell })
}
