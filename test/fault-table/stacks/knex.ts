import { MAX_CONNECTIONS, READ, rowOf, type Stack } from '../stack.ts'

export const knex: Stack = {
  name: 'Knex',
  packages: ['knex', 'pg'],
  async open(connection) {
    const { default: createKnex } = await import('knex')
    const db = createKnex({ client: 'pg', connection, pool: { min: 0, max: MAX_CONNECTIONS } })
    return {
      write: (id) => db.raw(rowOf(id, 'only')),
      writeTwice: (id, between) =>
        db.transaction(async (tx) => {
          await tx.raw(rowOf(id, 'first'))
          await between()
          await tx.raw(rowOf(id, 'second'))
        }),
      read: () => db.raw(READ),
      run: (text) => db.raw(text),
      borrow: undefined,
      close: () => db.destroy(),
    }
  },
}
