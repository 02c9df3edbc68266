import { closePools } from '@poolguard/core'
import type { Handle, ServerInit } from '@sveltejs/kit/hooks'
import { poolguard } from '#lib/server/poolguard.ts'

/** On SIGTERM, adapter-node finishes the requests in flight and then emits this event. `vite dev` loads this file again and again. */
export const init: ServerInit = () => {
  if (import.meta.env.PROD) process.once('sveltekit:shutdown', () => closePools())
}

/** The endpoints. All other requests: wait times by route, and 503 while the pool is overloaded. */
export const handle: Handle = async ({ event, resolve }) => {
  const label = `${event.request.method} ${event.route.id}`
  return (await poolguard.respond(event.request)) ?? poolguard.serve(event.request, { label }, () => resolve(event))
}
