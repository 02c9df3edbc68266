/** The default are the npm packages' binaries; Docker must be asked for. */
export function usesContainers(): boolean {
  const backend = process.env.POOLGUARD_TEST_BACKEND
  if (backend && backend !== 'testcontainers' && backend !== 'npm') {
    throw new Error(`POOLGUARD_TEST_BACKEND must be 'npm' or 'testcontainers', not '${backend}'`)
  }
  return backend === 'testcontainers'
}

/** Signals after which a server goes on; after any other one it is expected to end. */
export function endsServer(signal: NodeJS.Signals): boolean {
  return !['SIGHUP', 'SIGSTOP', 'SIGCONT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'].includes(signal)
}
