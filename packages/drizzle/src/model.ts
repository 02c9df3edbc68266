import type { DrizzleConfig } from 'drizzle-orm'
import type { drizzle } from 'drizzle-orm/node-postgres'

/** Drizzle's configuration with a client, as the installed release declares it. */
type ConfigWithClient = Extract<Parameters<typeof drizzle>[0], { client: unknown }>

type ModelIn<Config> = 'schema' extends keyof Config
  ? NonNullable<Config['schema']>
  : 'relations' extends keyof Config
    ? NonNullable<Config['relations']>
    : never

/** The type parameter of Drizzle's types: the schema up to 0.45, the relations from 1.0 on. */
export type Model = ModelIn<ConfigWithClient>

/** The model of a configuration without schema or relations. */
export type NoModel = ModelIn<DrizzleConfig>

/** Drizzle's configuration without the connection and the client. */
export type ModelConfig<TModel extends Model> = DrizzleConfig<TModel> &
  Omit<ConfigWithClient, keyof DrizzleConfig | 'client'>
