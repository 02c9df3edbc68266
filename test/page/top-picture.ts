/** Takes the picture of `poolguard top` for the documentation, from a staged incident: `node test/page/top-picture.ts`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Anser from 'anser'
import { startPostgres, Terminal } from '../harness/index.ts'
import { cleanEnvironment, POOLGUARD } from '../integration/run-poolguard.ts'
import { startBrowser } from './browser.ts'
import { makeOrders, stageIncident } from './staged-incident.ts'

const FILE = join(import.meta.dirname, '../../docs/pictures/top.webp')
/** Of ANSI's red, and one that can be read on a dark ground. */
const [RED, BRIGHT_RED] = ['187, 0, 0', '255, 110, 103']
const STYLE =
  'margin: 0; padding: 12px; background: #16181d; color: #d8dbe2; font: 14px/1.3 monospace; width: max-content'

await using server = await startPostgres({ maxConnections: 40 })
await makeOrders(server.url)
const incident = await stageIncident(server.url)
const env = cleanEnvironment({ DATABASE_URL: server.adminUrl, TERM: 'screen-256color', LANG: 'C.UTF-8' })
await using terminal = await Terminal.start({ columns: 120, rows: 16, env })
await terminal.run(`"${process.execPath}" "${POOLGUARD}" top --interval 1`)
await terminal.waitFor('Blocking')
// The table of the sessions that block others.
await terminal.press('4')
await terminal.waitFor(/update orders/i)
await takePicture(await terminal.styled())
await terminal.press('q')
await incident.end()

async function takePicture(styled: string): Promise<void> {
  await using browser = await startBrowser()
  const page = await browser.newPage({ viewport: { width: 1_100, height: 500 }, deviceScaleFactor: 2 })
  const html = Anser.ansiToHtml(Anser.escapeForHtml(styled)).replaceAll(RED, BRIGHT_RED)
  await page.setContent(`<pre style="${STYLE}">${html}</pre>`)
  const { width, height } = (await page.locator('pre').boundingBox()) ?? { width: 1_100, height: 500 }
  const session = await page.context().newCDPSession(page)
  const clip = { x: 0, y: 0, width, height, scale: 1 }
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: 80, clip })
  await writeFile(FILE, data, 'base64')
}
