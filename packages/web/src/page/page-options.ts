import type { EndpointSettings, EndpointSources } from '../endpoints/index.ts'

/** The data that the page shows, and who may see it. */
export interface PageSources extends EndpointSources, Pick<EndpointSettings, 'adminTokens' | 'pageSources'> {}
