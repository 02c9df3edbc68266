/** Ends this process with the demo, however the demo ends. Call it before anything else. */
export function endWithDemo(): void {
  process.once('disconnect', () => process.exit())
  if (!process.connected) process.exit()
  // Ctrl-C reaches all processes of the terminal; the demo decides.
  process.on('SIGINT', () => {})
}
