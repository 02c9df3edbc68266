import type { DrizzleConfig } from 'drizzle-orm'
import type { drizzle } from 'drizzle-orm/node-postgres'

/** Drizzle's own configuration with a client, of whichever release is installed. */
type ConfigWithClient = Extract<Parameters<typeof drizzle>[0], { client: unknown }>

type ModelIn<Config> = 'schema' extends keyof Config
  ? NonNullable<Config['schema']>
  : 'relations' extends keyof Config
    ? NonNullable<Config['relations']>
    : never

/** What Drizzle's types are generic over: the schema up to 0.45, the relations from 1.0 on. */
export type Model = ModelIn<ConfigWithClient>

/** A configuration that gives none. */
export type NoModel = ModelIn<DrizzleConfig>

/** All of Drizzle's own configuration but where the connections come from. */
export type ModelConfig<TModel extends Model> = DrizzleConfig<TModel> &
  Omit<ConfigWithClient, keyof DrizzleConfig | 'client'>
