/** Checks the packages as a user gets them: packs each, and looks at the tarballs, not at the workspace. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { checkBundles } from '../bundlers/bundles.ts'
import { homeOf, loadInBothFormats } from './load.ts'
import { packAll } from './pack.ts'
import { checkPublishing } from './publishable.ts'

const run = promisify(execFile)
const attw = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')

const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-packaging-'))
try {
  const tarballs = await packAll(folder)
  const problems = [
    ...(await Promise.all(tarballs.map(lint))).flat(),
    ...(await Promise.all(tarballs.map(checkTypes))).flat(),
    ...(await loadInBothFormats(tarballs, folder)),
    ...(await Promise.all(tarballs.map((tarball) => checkPublishing(tarball, homeOf(tarball, folder))))).flat(),
    ...(await checkBundles(folder)),
  ]
  for (const problem of problems) console.error(problem)
  if (problems.length === 0)
    console.log(
      `${tarballs.length} packages: publint, attw, loading as ESM and CommonJS, npm publish --dry-run, and bundles: fine`,
    )
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  await rm(folder, { recursive: true })
}

async function lint(tarball: string): Promise<string[]> {
  const bytes = await readFile(tarball)
  const tarballBuffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: tarballBuffer }, strict: true })
  return messages.map((message) => `publint: ${pkg.name}: ${formatMessage(message, pkg)}`)
}

/** For every way in which TypeScript resolves modules, node10 included: it is what Nest 11's projects begin with. */
async function checkTypes(tarball: string): Promise<string[]> {
  const program = path.join(path.dirname(attw), 'dist/index.js')
  const args = [program, tarball, '--no-color', '--no-emoji']
  return run(process.execPath, args).then(
    () => [],
    (error: { stdout: string; stderr: string }) => [`attw: ${path.basename(tarball)}:\n${error.stdout}${error.stderr}`],
  )
}
