import { type SpawnOptions, spawn } from 'node:child_process'
import { join } from 'node:path'
import { resolveCommand } from 'package-manager-detector/commands'
import { detect } from 'package-manager-detector/detect'
import type { PlannedInstall } from './plan-init.ts'

/** A command of the project's package manager, and the directory to run it in. */
export interface PackageCommand {
  readonly folder: string
  readonly command: string
  readonly args: readonly string[]
}

/** The command that installs or removes packages, of the package manager that the lockfile or `packageManager` names; npm by default. */
export async function packageCommand(
  root: string,
  { folder, packages }: PlannedInstall,
  action: 'add' | 'uninstall',
): Promise<PackageCommand> {
  const cwd = join(root, folder)
  const agent = (await detect({ cwd }))?.agent ?? 'npm'
  const { command, args } = resolveCommand(agent, action, [...packages]) ?? {
    command: 'npm',
    args: [action, ...packages],
  }
  return { folder, command, args }
}

/** For people: `cd apps/web && pnpm add @poolguard/prisma`. */
export function describeCommand({ folder, command, args }: PackageCommand): string {
  return `${folder === '' ? '' : `cd ${folder} && `}${[command, ...args].join(' ')}`
}

/** Runs it. Resolves with false if it fails; its own output says why. */
export function runCommand(
  root: string,
  { folder, command, args }: PackageCommand,
  isSilent: boolean,
): Promise<boolean> {
  return new Promise((done) => {
    const options: SpawnOptions = {
      cwd: join(root, folder),
      stdio: ['ignore', isSilent ? 'ignore' : 'inherit', 'inherit'],
    }
    // Package managers are scripts on Windows, which need a shell. The arguments are names of poolguard's packages.
    const child =
      process.platform === 'win32'
        ? spawn([command, ...args].join(' '), { ...options, shell: true })
        : spawn(command, args, options)
    child.on('error', () => done(false))
    child.on('close', (code) => done(code === 0))
  })
}
