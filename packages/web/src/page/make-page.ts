import type { EndpointSettings, EndpointSources } from '../endpoints/index.ts'
import { PageHandler } from './page-handler.ts'
import { ProcessContent } from './process-content.ts'

/** The live page: a route for GET and POST. */
export interface Page {
  readonly path: string
  /** @param from the address of the client, for the log of actions. */
  respond(request: Request, from?: string): Promise<Response>
}

/** Makes the live page if the settings ask for it. */
export function makePage(settings: EndpointSettings, sources: EndpointSources): Page | undefined {
  const { adminTokens, pageSources, pageActions, paths } = settings
  if (paths.page === undefined) return undefined
  const handler = new PageHandler({
    content: new ProcessContent({ ...sources, pageSources, pageActions }),
    adminTokens,
  })
  return { path: paths.page, respond: (request, from) => handler.respond(request, from) }
}
