import { fileURLToPath } from 'node:url'
import { generatePrismaClient } from '../harness/prisma-client.ts'

/** The tests' Prisma client is made from `schema.prisma` before any of them is loaded. */
export function setup(): Promise<void> {
  return generatePrismaClient(fileURLToPath(new URL('..', import.meta.url)))
}
