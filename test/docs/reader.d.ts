/** What whoever reads a piece of code has at hand already: from the lines above it, or from the app that it is put into. */
import type { Injectable as NestInjectable } from '@nestjs/common'
import type { PrismaPg as GuardedPrismaPg } from '@poolguard/prisma'
import type { PrismaClient as GeneratedPrismaClient } from '#prisma-client'

declare global {
  // Of the app
  const app: import('fastify').FastifyInstance
  const server: import('node:http').Server & AsyncDisposable
  const request: import('fastify').FastifyRequest
  const reply: import('fastify').FastifyReply
  const logger: import('fastify').FastifyBaseLogger
  const createDatabase: () => Promise<void>
  const handler: () => Promise<object>
  const error: unknown
  const rows: { id: number; owner: string; balance: number }[]
  const entities: (typeof Order)[]
  const schema: Record<string, never>
  const runs: import('drizzle-orm/sqlite-core').SQLiteTable
  class Order {
    id: number
  }
  class Account {
    id: number
  }
  const DATABASE: symbol
  const url: string

  // Of drivers and ORMs
  const client: import('pg').Client
  const pool: import('@poolguard/pg').GuardedPool
  const GuardedPool: typeof import('@poolguard/pg').GuardedPool
  type GuardedPool = import('@poolguard/pg').GuardedPool
  const guardPool: typeof import('@poolguard/pg').guardPool
  const sqlite: import('@poolguard/sqlite').SqlitePool
  const observe: typeof import('@poolguard/postgres-js').observe
  const sql: import('@poolguard/postgres-js').GuardedSql
  const drizzle: typeof import('@poolguard/drizzle/node-postgres').drizzle
  const DataSource: typeof import('typeorm').DataSource
  type DataSource = import('typeorm').DataSource
  const dataSource: import('typeorm').DataSource
  const options: import('@poolguard/typeorm').PostgresOptions
  const guardDataSource: typeof import('@poolguard/typeorm').guardDataSource
  const guardedPools: typeof import('@poolguard/typeorm').guardedPools
  const migrationDataSource: typeof import('@poolguard/typeorm').migrationDataSource
  /** Prisma 7's, and as it was before. */
  const PrismaClient: typeof GeneratedPrismaClient & (new (options: { datasourceUrl: string }) => GeneratedPrismaClient)
  const PrismaPg: typeof GuardedPrismaPg
  const prisma: GeneratedPrismaClient
  const inBatches: typeof import('@poolguard/prisma').inBatches

  // Of core
  const withDeadlockDetection: typeof import('@poolguard/core').withDeadlockDetection
  const runWithLabel: typeof import('@poolguard/core').runWithLabel
  const capacity: import('@poolguard/core/postgres').Capacity
  const usage: import('@poolguard/core/postgres').UsageRow[]
  const register: import('prom-client').Registry
  const renderPage: typeof import('@poolguard/core/adapter').renderPage
  const postgresSource: typeof import('@poolguard/pg').postgresSource
  const pgBouncerSource: typeof import('@poolguard/pg').pgBouncerSource
  const PeriodicExportingMetricReader: typeof import('@opentelemetry/sdk-metrics').PeriodicExportingMetricReader
  const exporter: import('@opentelemetry/sdk-metrics').PushMetricExporter
  const metrics: typeof import('@opentelemetry/api').metrics

  // Of frameworks
  const Fastify: typeof import('fastify').default
  /** Fastify's plugin, and what `poolguardWeb` returns. */
  const poolguard: typeof import('@poolguard/fastify').default & import('@poolguard/web').PoolguardWeb
  const fastifyPostgres: typeof import('@fastify/postgres').default
  const underPressure: typeof import('@fastify/under-pressure').default
  const Injectable: typeof NestInjectable
  const Controller: typeof import('@nestjs/common').Controller
  const Get: typeof import('@nestjs/common').Get
  const Module: typeof import('@nestjs/common').Module
  const UseGuards: typeof import('@nestjs/common').UseGuards
  const ScrapeGuard: new () => import('@nestjs/common').CanActivate
  type FactoryProvider = import('@nestjs/common').FactoryProvider
  type OnApplicationShutdown = import('@nestjs/common').OnApplicationShutdown
  type HealthCheckService = import('@nestjs/terminus').HealthCheckService
  const HealthCheck: typeof import('@nestjs/terminus').HealthCheck
  const TerminusModule: typeof import('@nestjs/terminus').TerminusModule
  const ConfigService: typeof import('@nestjs/config').ConfigService
  type ConfigService = import('@nestjs/config').ConfigService
  const TypeOrmModule: typeof import('@nestjs/typeorm').TypeOrmModule
  const PoolguardModule: typeof import('@poolguard/nestjs').PoolguardModule
  const PoolguardMetricsController: typeof import('@poolguard/nestjs').PoolguardMetricsController
  type Poolguard = import('@poolguard/nestjs').Poolguard
  const getPoolToken: typeof import('@poolguard/nestjs').getPoolToken
  const InjectPool: typeof import('@poolguard/nestjs').InjectPool

  // Of the harness
  const test: typeof import('vitest').test
  const rules: string
  const describeWithPgBouncer: typeof import('../harness/index.ts').describeWithPgBouncer
  const describeWithTerminal: typeof import('../harness/index.ts').describeWithTerminal
  const Terminal: typeof import('../harness/index.ts').Terminal
  const describeWithPrometheus: typeof import('../harness/index.ts').describeWithPrometheus
  const startPrometheus: typeof import('../harness/index.ts').startPrometheus
  const checkRules: typeof import('../harness/index.ts').checkRules
}
