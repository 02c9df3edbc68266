import { defineProject } from 'vitest/config'
export default defineProject({
  resolve: { alias: [{ find: '@poolguard/typeorm', replacement: '/tmp/plain/stub.ts' }] },
  test: { name: 'plain', include: ['faults/typeorm.test.ts'], testTimeout: 8_000, hookTimeout: 20_000 },
})
