/**
 * Makes threads load an old better-sqlite3 instead of the newest: the first version with binaries in its package. Version 12
 * downloads or compiles its binary on installation, which not every machine can do.
 */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier.replace(/^better-sqlite3(?=\/|$)/, 'better-sqlite3-oldest'), context),
})
