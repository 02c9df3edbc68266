import { defineProject } from 'vitest/config'
export default defineProject({
  resolve: { alias: [{ find: /^(postgres)(?=\/|$)/, replacement: '$1-oldest' }] },
  test: { name: 'scratch', include: ['integration/postgres-js*.test.ts'], testTimeout: 30_000, hookTimeout: 60_000 },
})
