import { Controller, Get, Inject, Injectable, Module, type OnApplicationShutdown, Param } from '@nestjs/common'
import { getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm'
import { snapshotPools } from '@poolguard/core'
import { drizzle, type GuardedDatabase } from '@poolguard/drizzle/node-postgres'
import { getPoolToken, Poolguard, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { eq } from 'drizzle-orm'
import type { Repository } from 'typeorm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { account } from './drizzle-drivers.ts'
import { platforms, route, startApp } from './nestjs-app.ts'
import { type Account, accounts, makeTables, payments } from './typeorm-model.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  await makeTables(server)
})
afterAll(() => server.stop())

/** What a service of the app has: where its accounts are. */
interface Accounts {
  find(id: number): PromiseLike<unknown>
}

class AccountsController {
  readonly #accounts: Accounts

  constructor(found: Accounts) {
    this.#accounts = found
  }

  async find(id: string): Promise<unknown> {
    return await this.#accounts.find(Number(id))
  }
}
Controller('accounts')(AccountsController)
Inject('ACCOUNTS')(AccountsController, undefined, 0)
route(AccountsController, 'find', Get(':id'), Param('id'))

const orms = {
  TypeORM() {
    const feature = TypeOrmModule.forFeature([accounts, payments])
    const useFactory = (found: Repository<Account>): Accounts => ({ find: (id) => found.findOneBy({ id }) })
    return {
      imports: [
        TypeOrmModule.forRoot(
          guardDataSource({ type: 'postgres', url: server.url, autoLoadEntities: true }, { name: 'accounts' }),
        ),
        feature,
        PoolguardModule.forRoot({ labels: true }),
      ],
      providers: [{ provide: 'ACCOUNTS', inject: [getRepositoryToken(accounts)], useFactory }],
    }
  },

  Prisma() {
    class PrismaService extends PrismaClient implements OnApplicationShutdown {
      constructor() {
        super({ adapter: new PrismaPg({ url: server.url, name: 'accounts' }) })
      }

      onApplicationShutdown(): Promise<void> {
        return this.$disconnect()
      }
    }
    Injectable()(PrismaService)
    class PrismaModule {}
    Module({ providers: [PrismaService], exports: [PrismaService] })(PrismaModule)
    const useFactory = (prisma: PrismaService): Accounts => ({
      find: (id) => prisma.account.findUnique({ where: { id } }),
    })
    return {
      imports: [PrismaModule, PoolguardModule.forRoot({ labels: true })],
      providers: [{ provide: 'ACCOUNTS', inject: [PrismaService], useFactory }],
    }
  },

  Drizzle() {
    const database = {
      provide: 'DATABASE',
      inject: [getPoolToken()],
      useFactory: (pool: GuardedPool) => drizzle({ client: pool, schema: { account } }),
    }
    const useFactory = (db: GuardedDatabase<{ account: typeof account }>): Accounts => ({
      find: (id) => db.query.account.findFirst({ where: eq(account.id, id) }),
    })
    return {
      imports: [PoolguardModule.forRoot({ url: server.url, name: 'accounts', labels: true })],
      providers: [database, { provide: 'ACCOUNTS', inject: ['DATABASE'], useFactory }],
    }
  },
}

describe.each(platforms)('given an app on %s', (platform) => {
  test.for(Object.entries(orms))(
    'when its database is that of %s, then it is served, observed, labelled, and closed with the app',
    async ([, make]) => {
      const { app, get } = await startApp(platform, { ...make(), controllers: [AccountsController] })
      expect(await (await get('/accounts/7')).json()).toEqual({ id: 7, owner: 'owner 7', balance: 100 })
      const [pool, ...others] = app.get(Poolguard).snapshots()
      expect(others).toEqual([])
      expect(pool).toMatchObject({ name: 'accounts', stats: { waitByLabel: { 'GET /accounts/:id': {} } } })
      expect(app.get(Poolguard).health().pools).toMatchObject([{ name: 'accounts' }])
      await app.close()
      expect(snapshotPools()).toEqual([])
      expect(await server.connectionCount()).toBe(0)
    },
  )
})
