import { EntitySchema } from 'typeorm'
import type { PostgresServer } from '../harness/index.ts'
import { makeAccounts } from './accounts.ts'

export interface Account {
  id: number
  owner: string
  balance: number
  payments?: Payment[]
}

export interface Payment {
  id: number
  amount: number
  account?: Account
}

/** The table of accounts.ts, with what has been paid into each account. */
export const accounts: EntitySchema<Account> = new EntitySchema<Account>({
  name: 'account',
  columns: { id: { type: 'int', primary: true }, owner: { type: 'text' }, balance: { type: 'int' } },
  relations: { payments: { type: 'one-to-many', target: 'payment', inverseSide: 'account' } },
})

export const payments: EntitySchema<Payment> = new EntitySchema<Payment>({
  name: 'payment',
  columns: { id: { type: 'int', primary: true, generated: true }, amount: { type: 'int' } },
  relations: { account: { type: 'many-to-one', target: 'account', inverseSide: 'payments' } },
})

/** The tables of both, owned by the plain role. */
export async function makeTables(server: PostgresServer): Promise<void> {
  await makeAccounts(server)
  await server.query(
    'create table payment (id serial primary key, amount int not null, "accountId" int references account)',
  )
  await server.query('alter table payment owner to app')
}
