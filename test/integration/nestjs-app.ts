import { Controller, Get, type INestApplication, Module, type ModuleMetadata, Param, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { InjectPool } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'

export const platforms = ['express', 'fastify'] as const
export type Platform = (typeof platforms)[number]

/** An app that listens on a port of its own. */
export interface RunningApp extends AsyncDisposable {
  readonly app: INestApplication
  readonly url: string
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

export function makeModule(metadata: ModuleMetadata): Type {
  class AppModule {}
  Module(metadata)(AppModule)
  return AppModule
}

export async function startApp(
  platform: Platform,
  metadata: ModuleMetadata,
  prepare: (app: INestApplication) => unknown = () => {},
): Promise<RunningApp> {
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter()
  const app = await NestFactory.create(makeModule(metadata), adapter, { logger: false, abortOnError: false })
  prepare(app)
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  return {
    app,
    url,
    get: (path, headers = {}) => fetch(new URL(path, url), { headers }),
    [Symbol.asyncDispose]: () => app.close(),
  }
}

/** What decorators are to a method and its parameters; Node's type stripping knows no decorators. */
export function route(target: Type, method: string, on: MethodDecorator, ...parameters: ParameterDecorator[]): void {
  const { prototype } = target
  on(prototype, method, Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor)
  for (const [index, decorate] of parameters.entries()) decorate(prototype, method, index)
}

/** Requests that keep the database busy for so many seconds. */
export class WorkController {
  readonly #pool: GuardedPool

  constructor(pool: GuardedPool) {
    this.#pool = pool
  }

  async work(seconds: string): Promise<{ done: string }> {
    await this.#pool.query('select pg_sleep($1)', [seconds])
    return { done: seconds }
  }
}
Controller('work')(WorkController)
InjectPool()(WorkController, undefined, 0)
route(WorkController, 'work', Get(':seconds'), Param('seconds'))
