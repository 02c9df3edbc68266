import type { DataSourceOptions } from 'typeorm'
import { MAX_CONNECTIONS, READ, rowOf, type Stack, type StackApp } from '../stack.ts'

async function appOnDataSource(options: DataSourceOptions): Promise<StackApp> {
  const { DataSource } = await import('typeorm')
  const source = new DataSource(options)
  await source.initialize()
  return {
    write: (id) => source.query(rowOf(id, 'only')),
    writeTwice: (id, between) =>
      source.transaction(async (manager) => {
        await manager.query(rowOf(id, 'first'))
        await between()
        await manager.query(rowOf(id, 'second'))
      }),
    read: () => source.query(READ),
    run: (text) => source.query(text),
    async borrow() {
      const runner = source.createQueryRunner()
      await runner.connect()
      return { run: (text) => runner.query(text), release: () => runner.release() }
    },
    close: () => source.destroy(),
  }
}

export const typeorm: Stack = {
  name: 'TypeORM',
  packages: ['typeorm', 'pg'],
  open: (url) => appOnDataSource({ type: 'postgres', url, poolSize: MAX_CONNECTIONS }),
}

export const guardedTypeorm: Stack = {
  name: 'poolguard: TypeORM',
  packages: ['typeorm', 'pg'],
  async open(url) {
    const { guardDataSource } = await import('@poolguard/typeorm')
    return appOnDataSource(guardDataSource({ type: 'postgres', url }, { pool: { max: MAX_CONNECTIONS } }))
  },
}
