/** Shows a full screen of the command line, and ends in an unusual way, named by the argument. */
import process from 'node:process'
import { Screen } from '../../packages/cli/src/top/screen.ts'

const ENDS: Readonly<Record<string, () => void>> = {
  'an exception': () => {
    throw new Error('thrown while the screen was full')
  },
  'a rejection': () => void Promise.reject(new Error('rejected while the screen was full')),
  'process.exit': () => process.exit(3),
}

const ignore = () => {}
const screen = new Screen(process.stdin, process.stdout, { onKey: ignore, onResize: ignore, onHangup: ignore })
screen.enter()
screen.draw(['a full screen'])
setTimeout(() => ENDS[process.argv[2] ?? '']?.(), 500)
