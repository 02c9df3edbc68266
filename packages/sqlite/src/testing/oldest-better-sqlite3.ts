/** For threads that are to load the oldest better-sqlite3 in place of the newest. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier === 'better-sqlite3' ? 'better-sqlite3-oldest' : specifier, context),
})
