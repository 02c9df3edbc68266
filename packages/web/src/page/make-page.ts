import type { EndpointSettings, EndpointSources } from '../endpoints/index.ts'
import { PageHandler } from './page-handler.ts'

/** The live page: a route for GET and POST. */
export interface Page {
  readonly path: string
  respond(request: Request): Promise<Response>
}

/** Makes the live page if the settings ask for it. */
export function makePage(settings: EndpointSettings, sources: EndpointSources): Page | undefined {
  const { adminTokens, pageSources, paths } = settings
  if (paths.page === undefined) return undefined
  const handler = new PageHandler({ ...sources, adminTokens, pageSources })
  return { path: paths.page, respond: (request) => handler.respond(request) }
}
