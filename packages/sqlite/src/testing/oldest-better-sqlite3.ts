/**
 * For threads that load an old better-sqlite3 in place of the newest: the first with its binaries in its package. Those of
 * version 12 are downloaded or compiled when it is installed, which not every machine can do.
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.replace(/^better-sqlite3(?=\/|$)/, 'better-sqlite3-oldest'), context),
})
