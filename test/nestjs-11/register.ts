/** For programs that tests start with `node --import`: what ./vitest.config.ts does for the tests themselves. */
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { importerOfNest11, isOfNest11 } from './nest-11.ts'

const parentURL = pathToFileURL(importerOfNest11).href

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, isOfNest11(specifier, context.parentURL) ? { ...context, parentURL } : context),
})
