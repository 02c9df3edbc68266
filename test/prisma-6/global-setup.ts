import { generatePrismaClient } from '../harness/prisma-client.ts'

/** As ../prisma/global-setup.ts does for Prisma 7. */
export function setup(): Promise<void> {
  return generatePrismaClient(import.meta.dirname)
}
