/**
 * Next calls this once when a server starts. On SIGTERM, Next finishes the requests in flight and exits the process, so do not close
 * the pool here: those requests need it.
 */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { describeTopology } = await import('@poolguard/core')
  const { db } = await import('./lib/db.ts')
  const { topology } = await db.$client.ready()
  console.log(topology ? describeTopology(topology) : 'Detection of the database failed.')
}
