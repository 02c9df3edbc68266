#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

/** The reader has closed the pipe (`poolguard monitor | head -1`), which is EOF on Windows, or the terminal is gone. */
const CLOSED: readonly (string | undefined)[] = ['EPIPE', 'EOF', 'EIO']

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!CLOSED.includes(error.code)) throw error
  process.exit()
})

process.exitCode = await runCommandLine(process.argv.slice(2))
