/** Next calls this once when a server starts. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return
  const { describeTopology, installShutdown } = await import('@poolguard/core')
  const { db } = await import('./lib/db.ts')
  installShutdown()
  const { topology } = await db.$client.ready()
  console.log(topology ? describeTopology(topology) : 'Detection of the database failed.')
}
