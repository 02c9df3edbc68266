export type { AppGuard } from './app-guard.ts'
export {
  type ExpressErrorMiddleware,
  type ExpressMiddleware,
  type ExpressRequest,
  expressErrors,
  expressMiddleware,
} from './express.ts'
export { respond, serve } from './fetch.ts'
export { type HonoContext, type HonoMiddleware, honoMiddleware } from './hono.ts'
export { type KoaContext, type KoaMiddleware, koaMiddleware } from './koa.ts'
