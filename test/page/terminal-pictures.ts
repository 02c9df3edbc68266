/** Takes the pictures of `poolguard top` and `poolguard doctor` for the documentation, from a staged incident: `node test/page/terminal-pictures.ts`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anser from 'anser'
import { startPostgres, Terminal } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD } from '../integration/run-poolguard.ts'
import { startBrowser } from './browser.ts'
import { makeOrders, stageIncident } from './staged-incident.ts'

const PICTURES = join(import.meta.dirname, '../../docs/pictures')
/** Of ANSI's red, and one that can be read on a dark ground. */
const [RED, BRIGHT_RED] = ['187, 0, 0', '255, 110, 103']
const STYLE =
  'margin: 0; padding: 12px; background: #16181d; color: #d8dbe2; font: 14px/1.3 monospace; width: max-content'

await using server = await startPostgres({ maxConnections: 40 })
const url = `${server.url}?application_name=orders`
await makeOrders(url)
const incident = await stageIncident(url)
await takeTop()
await takeDoctor()
await incident.end()

async function takeTop(): Promise<void> {
  await using terminal = await startTerminal(120, 16)
  await terminal.run(`"${process.execPath}" "${POOLGUARD}" top --interval 1`)
  await terminal.waitFor('Blocking')
  // The table of the sessions that block others.
  await terminal.press('4')
  await terminal.waitFor(/update orders/i)
  await takePicture('top', await terminal.styled())
  await terminal.press('q')
}

/** In a directory without a project: what is wrong with the server now. */
async function takeDoctor(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-picture-'))
  await using terminal = await startTerminal(145, 60)
  await terminal.run(`cd "${folder}"; alias poolguard='"${process.execPath}" "${POOLGUARD}"'; clear`)
  await terminal.run('poolguard doctor')
  await terminal.waitFor(/\d+ (?:critical|warning)/)
  await takePicture('doctor', (await terminal.styled()).trimEnd())
  rmSync(folder, { recursive: true })
}

function startTerminal(columns: number, rows: number): Promise<Terminal> {
  const env = cleanEnvironment({ DATABASE_URL: server.adminUrl, TERM: 'screen-256color', LANG: 'C.UTF-8' })
  return Terminal.start({ columns, rows, env })
}

async function takePicture(name: string, styled: string): Promise<void> {
  await using browser = await startBrowser()
  const page = await browser.newPage({ viewport: { width: 1_300, height: 1_200 }, deviceScaleFactor: 2 })
  const html = Anser.ansiToHtml(Anser.escapeForHtml(styled)).replaceAll(RED, BRIGHT_RED)
  await page.setContent(`<body style="margin: 0"><pre style="${STYLE}">${html}</pre>`)
  const { width, height } = (await page.locator('pre').boundingBox()) ?? { width: 1_100, height: 500 }
  const session = await page.context().newCDPSession(page)
  const clip = { x: 0, y: 0, width, height, scale: 1 }
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80, clip })
  await writeFile(join(PICTURES, `${name}.webp`), data, 'base64')
}
