export { type GuardedPrismaPgOptions, PrismaPg } from './prisma-pg.ts'
