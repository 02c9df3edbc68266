/** Loaded with `--import`: gives a program the oldest postgres.js that is supported. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'postgres'
      ? next('postgres-oldest', { ...context, parentURL: import.meta.url })
      : next(specifier, context),
})
