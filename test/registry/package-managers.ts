import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { portableCommand } from '../portable-command.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** How a package manager is called, with its program and what precedes each of its commands. */
export interface PackageManager {
  readonly name: string
  readonly command: readonly string[]
  /** Files in the project that it reads its configuration from. */
  readonly files: (registry: string) => Readonly<Record<string, string>>
  readonly install: readonly string[]
  /** Runs a program of an installed package. */
  readonly exec: readonly string[]
  /** Runs Node, if that has to know of the package manager. */
  readonly node?: readonly string[]
}

const npmrc = (registry: string) => ({ '.npmrc': `registry=${registry}\n` })

export const npm: PackageManager = {
  name: 'npm',
  command: ['npm'],
  files: npmrc,
  install: ['install', '--no-audit', '--no-fund'],
  exec: ['exec', '--no', '--'],
}

/** The packages are a minute old, and package managers distrust packages that are younger than a day or so. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  npm,
  {
    name: 'pnpm',
    command: ['pnpm'],
    files: (registry) => ({ ...npmrc(registry), 'pnpm-workspace.yaml': 'minimumReleaseAge: 0\n' }),
    install: ['install'],
    exec: ['exec'],
  },
  {
    name: 'Yarn 1',
    command: [process.execPath, require.resolve('yarn/bin/yarn.js')],
    files: npmrc,
    install: ['install', '--non-interactive'],
    exec: ['run', '--silent'],
  },
  {
    name: 'Yarn 4',
    command: [process.execPath, join(dirname(require.resolve('@yarnpkg/cli-dist/package.json')), 'bin/yarn.js')],
    files: (registry) => ({
      'yarn.lock': '',
      '.yarnrc.yml': `npmRegistryServer: ${registry}
unsafeHttpWhitelist: ['127.0.0.1']
enableTelemetry: false
enableGlobalCache: false
npmMinimalAgeGate: 0
`,
    }),
    install: ['install', '--no-immutable'],
    exec: ['run'],
    // Plug'n'Play: there is no folder node_modules.
    node: ['node'],
  },
  {
    name: 'bun',
    command: [join(dirname(require.resolve('bun/package.json')), 'bin/bun.exe')],
    files: npmrc,
    install: ['install'],
    exec: ['run'],
  },
]

/** A project with an empty home: nothing that is installed or configured on the machine has an effect. */
export class Project {
  readonly folder: string
  readonly #manager: PackageManager
  readonly #home: string
  readonly #registry: string

  constructor(manager: PackageManager, { folder, home, registry }: { folder: string; home: string; registry: string }) {
    this.#manager = manager
    this.folder = folder
    this.#home = home
    this.#registry = registry
  }

  async configure(): Promise<void> {
    for (const [name, text] of Object.entries(this.#manager.files(this.#registry)))
      await writeFile(join(this.folder, name), text)
  }

  /** Runs a command of the package manager; resolves with its output. */
  async manage(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.run([...this.#manager.command, ...args], env)
  }

  install(): Promise<string> {
    return this.manage(this.#manager.install)
  }

  exec(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.manage([...this.#manager.exec, ...args], env)
  }

  /** Runs a program of the project; resolves with its output. */
  node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { node } = this.#manager
    return node ? this.manage([...node, ...args], env) : this.run([process.execPath, ...args], env)
  }

  async run([program = '', ...words]: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { file, args, shell } = portableCommand(program, words)
    try {
      const { stdout } = await run(file, args, {
        cwd: this.folder,
        env: this.environment(env),
        maxBuffer: 32 * 1024 * 1024,
        shell,
      })
      return stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string }
      throw new Error(`${[program, ...words].join(' ')} fails:\n${stdout}${stderr || error}`)
    }
  }

  /** The environment of every process of the project. */
  environment(env: Readonly<Record<string, string>>): Record<string, string> {
    const { PATH = '', SystemRoot } = process.env
    return {
      ...{ PATH, HOME: this.#home, USERPROFILE: this.#home, XDG_CACHE_HOME: join(this.#home, 'cache') },
      ...(SystemRoot && { SystemRoot }),
      ...{ CI: 'true', npm_config_registry: this.#registry, ...env },
    }
  }
}
