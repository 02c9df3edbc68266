import { defineConfig } from 'tsdown'

/** The modules of `statements/` that look for session state. */
const SESSION_STATE =
  /statements.(?:changes-|finding-|lint-|parameter-name|plain-|read-(?:create|only|query|set)|session-state-check|share-|statement-(?:finding|lint)).*(?<!\.d)\.ts$/

function isShared(id: string): boolean {
  return /(?<!\.d)\.ts$/.test(id) && !SESSION_STATE.test(id)
}

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    adapter: 'src/adapter.ts',
    connection: 'src/connection.ts',
    postgres: 'src/postgres.ts',
    dashboards: 'src/dashboards/index.ts',
  },
  format: ['esm', 'cjs'],
  target: 'node22.12',
  dts: true,
  outputOptions: {
    comments: { jsdoc: false },
    // Few files, because each one costs an import as much as 20 kB of code. What only code for connections shares is a file of its own.
    codeSplitting: {
      groups: [
        { name: 'shared', test: isShared, tags: ['$initial'], minShareCount: 2 },
        { name: 'session-state', test: SESSION_STATE, minShareCount: 2 },
      ],
    },
  },
})
