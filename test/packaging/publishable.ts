import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { portableCommand } from '../portable-command.ts'

const run = promisify(execFile)

/** What a package may have beside its `dist`. */
const FILES = ['package.json', 'README.md', 'LICENSE']
/** The largest tarball has half of it; a package that grows beyond it has packed something by mistake. */
const MAX_PACKED_BYTES = 1_000_000
const MIN_KEYWORDS = 3

interface Publishable {
  readonly name: string
  readonly license?: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly engines?: { readonly node?: string }
  readonly repository?: { readonly url?: string; readonly directory?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** What npm says of a tarball. */
interface Report {
  readonly size?: number
}

/** Publishes a tarball to nowhere, and looks at what would be published. Returns the problems. */
export async function checkPublishing(tarball: string, home: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as Publishable
  const problems = [
    ...problemsOfManifest(manifest),
    ...(await problemsOfFiles(home)),
    ...(await problemsOfDryRun(tarball)),
  ]
  return problems.map((problem) => `publish: ${manifest.name}: ${problem}`)
}

function problemsOfManifest(manifest: Publishable): string[] {
  const { license, description, keywords = [], engines, repository } = manifest
  const ranges = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  const problems = Object.entries(ranges)
    .filter(([, range]) => /^(workspace|catalog|file|link):/.test(range))
    .map(([name, range]) => `depends on ${name} by "${range}", which npm cannot install`)
  if (license !== 'MIT') problems.push('license is not MIT')
  if (!description) problems.push('has no description')
  if (keywords.length < MIN_KEYWORDS) problems.push(`has fewer than ${MIN_KEYWORDS} keywords`)
  if (!engines?.node) problems.push('has no engines.node')
  // npm compares it with the provenance, and resolves the links of the README by it.
  if (!repository?.url || !repository.directory) problems.push('has no repository with url and directory')
  return problems
}

async function problemsOfFiles(home: string): Promise<string[]> {
  const entries = await readdir(home, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(home, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
  const problems = FILES.filter((file) => !files.includes(file)).map((file) => `has no ${file}`)
  for (const file of files) {
    if (!file.startsWith('dist/') && !FILES.includes(file)) problems.push(`has ${file}, which no app needs`)
    if (file.endsWith('.map')) problems.push(`has ${file}, whose sources are not published`)
    if (!/\.[cm]?js$/.test(file)) continue
    const text = await readFile(path.join(home, file), 'utf8')
    if (/^\/\/# sourceMappingURL=/m.test(text)) problems.push(`${file} points to a source map that is not published`)
  }
  return problems
}

/** npm's own checks, without an account. */
async function problemsOfDryRun(tarball: string): Promise<string[]> {
  const words = ['publish', tarball, '--dry-run', '--json', '--ignore-scripts', '--access', 'public', '--tag', 'latest']
  const { file, args, shell } = portableCommand('npm', words)
  try {
    const { stdout } = await run(file, args, { shell })
    // By package name since npm 11.
    const report = JSON.parse(stdout) as Report & Readonly<Record<string, Report>>
    const size = report.size ?? Object.values(report)[0]?.size ?? Infinity
    return size <= MAX_PACKED_BYTES ? [] : [`is ${size} bytes packed; ${MAX_PACKED_BYTES} are allowed`]
  } catch (error) {
    return [`npm publish --dry-run fails: ${(error as { stderr?: string }).stderr ?? String(error)}`]
  }
}
