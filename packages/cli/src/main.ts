#!/usr/bin/env node
import { runCommandLine } from './command-line.ts'

// The reader has closed the pipe: `poolguard monitor | head -1`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await runCommandLine(process.argv.slice(2))
