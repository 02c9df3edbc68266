export { makePage, type Page } from './make-page.ts'
export { PageHandler } from './page-handler.ts'
export { type NodeRequest, servePage, toWebRequest } from './serve-page.ts'
