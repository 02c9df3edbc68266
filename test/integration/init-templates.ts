import type { Files } from './init-project.ts'

const manifest = (dependencies: Readonly<Record<string, string>>, type?: 'module') =>
  JSON.stringify({ name: 'app', private: true, ...(type && { type }), dependencies })

/** create-t3-app 7.40 with Drizzle and PostgreSQL: `src/server/db/index.ts` as it is in the package. */
export const T3_DRIZZLE: Files = {
  'package.json': manifest({ next: '^16.0.0', 'drizzle-orm': '^0.45.0', postgres: '^3.4.4' }, 'module'),
  '.env': 'DATABASE_URL="postgresql://postgres:password@localhost:5432/app"\n',
  'src/env.ts': `export const env = {
  DATABASE_URL: process.env.DATABASE_URL!,
  NODE_ENV: (process.env.NODE_ENV ?? "development") as "development" | "test" | "production",
};
`,
  'src/server/db/schema.ts': `import { pgTable, integer } from "drizzle-orm/pg-core";

export const posts = pgTable("post", { id: integer().primaryKey() });
`,
  'src/server/db/index.ts': `import { drizzle } from "drizzle-orm/postgres-js";
import postgres from "postgres";

import { env } from "~/env";
import * as schema from "./schema";

/**
 * Cache the database connection in development. This avoids creating a new connection on every HMR
 * update.
 */
const globalForDb = globalThis as unknown as {
  conn: postgres.Sql | undefined;
};

const conn = globalForDb.conn ?? postgres(env.DATABASE_URL);
if (env.NODE_ENV !== "production") globalForDb.conn = conn;

export const db = drizzle(conn, { schema });
`,
  'src/program.ts': `import { sql } from "drizzle-orm";
import { db } from "~/server/db";

const rows = await db.execute(sql\`select 40 + 2 as answer\`);
console.log(rows[0]?.answer);
await db.$client.end();
`,
}

/** Drizzle's documentation, "Get started with PostgreSQL". */
export const DRIZZLE_START: Files = {
  'package.json': manifest({ 'drizzle-orm': '^0.45.0', pg: '^8.16.0' }, 'module'),
  '.env': 'DATABASE_URL=postgresql://app@localhost/app\n',
  'src/index.ts': `import { sql } from 'drizzle-orm';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';

const db = drizzle(process.env.DATABASE_URL!);

async function main(on: NodePgDatabase) {
  const { rows } = await on.execute(sql\`select 40 + 2 as answer\`);
  console.log(rows[0]?.answer);
}

main(db).then(() => db.$client.end());
`,
}

/** Prisma's examples, with the driver adapter: a client that is kept over hot reloads. */
export const PRISMA_EXAMPLE: Files = {
  'package.json': manifest({ '@prisma/client': '^7.0.0', '@prisma/adapter-pg': '^7.0.0', next: '^16.0.0' }, 'module'),
  '.env': 'DATABASE_URL="postgresql://app@localhost/app?pgbouncer=true&connection_limit=3"\n',
  'src/lib/prisma.ts': `import { PrismaClient } from '../../../prisma/client.ts'
import { PrismaPg } from '@prisma/adapter-pg'

const globalForPrisma = global as unknown as {
  prisma: PrismaClient
}

const adapter = new PrismaPg({
  connectionString: process.env.DATABASE_URL,
})

const prisma =
  globalForPrisma.prisma ||
  new PrismaClient({
    adapter,
  })

if (process.env.NODE_ENV !== 'production') globalForPrisma.prisma = prisma

export default prisma
`,
  'src/program.ts': `import prisma from './lib/prisma.ts'

const rows = await prisma.$queryRaw<{ answer: number }[]>\`select 40 + 2 as answer\`
console.log(rows[0]?.answer)
await prisma.$disconnect()
`,
}

const NEST_MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.ts';

export async function start() {
  return await NestFactory.createApplicationContext(AppModule, { logger: ['error'] });
}
`

/** Nest's generator, with TypeORM as in Nest's documentation: \`forRootAsync\` and \`ConfigService\`. */
export const NEST_TYPEORM: Files = {
  'package.json': manifest({
    '@nestjs/common': '^12.0.0',
    '@nestjs/config': '^12.0.0',
    '@nestjs/core': '^12.0.0',
    '@nestjs/typeorm': '^12.0.0',
    pg: '^8.16.0',
    typeorm: '^1.0.0',
  }),
  '.env': 'DATABASE_URL=postgresql://app@localhost/app\n',
  'src/main.ts': NEST_MAIN,
  'src/app.service.ts': `import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

@Injectable()
export class AppService {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async answer(): Promise<number> {
    const [row] = await this.dataSource.query('select 40 + 2 as answer');
    return row.answer;
  }
}
`,
  'src/app.module.ts': `import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AppService } from './app.service.ts';

@Module({
  imports: [
    ConfigModule.forRoot({ ignoreEnvFile: true }),
    TypeOrmModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        type: 'postgres',
        url: config.get<string>('DATABASE_URL'),
        autoLoadEntities: true,
        extra: { max: 4 },
      }),
    }),
  ],
  controllers: [],
  providers: [AppService],
})
export class AppModule {}
`,
}

/** Nest's generator, with Prisma's service as in Nest's documentation. */
export const NEST_PRISMA: Files = {
  'package.json': manifest({
    '@nestjs/common': '^12.0.0',
    '@nestjs/core': '^12.0.0',
    '@prisma/adapter-pg': '^7.0.0',
    '@prisma/client': '^7.0.0',
  }),
  'src/main.ts': NEST_MAIN,
  'src/app.service.ts': `import { Injectable } from '@nestjs/common';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../../prisma/client.ts';

@Injectable()
export class AppService extends PrismaClient {
  constructor() {
    const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL as string });
    super({ adapter });
  }

  async answer(): Promise<number> {
    const rows = await this.$queryRaw<{ answer: number }[]>\`select 40 + 2 as answer\`;
    return rows[0]?.answer ?? 0;
  }

  async onModuleDestroy() {
    await this.$disconnect();
  }
}
`,
  'src/app.module.ts': `import { Module } from '@nestjs/common';
import { AppService } from './app.service.ts';

@Module({
  imports: [],
  controllers: [],
  providers: [AppService],
})
export class AppModule {}
`,
}

/** fastify-cli 8.0, \`fastify generate\`: app.js as it is in the package, and a plugin with @fastify/postgres. */
export const FASTIFY_GENERATOR: Files = {
  'package.json': manifest({
    '@fastify/autoload': '^6.0.0',
    '@fastify/postgres': '^6.0.0',
    fastify: '^5.0.0',
    'fastify-plugin': '^6.0.0',
    pg: '^8.16.0',
  }),
  '.env': 'DATABASE_URL=postgresql://app@localhost/app\n',
  'app.js': `'use strict'

const path = require('node:path')
const AutoLoad = require('@fastify/autoload')

// Pass --options via CLI arguments in command to enable these options.
const options = {}

module.exports = async function (fastify, opts) {
  // Place here your custom code!

  // Do not touch the following lines

  // This loads all plugins defined in plugins
  // those should be support plugins that are reused
  // through your application
  fastify.register(AutoLoad, {
    dir: path.join(__dirname, 'plugins'),
    options: Object.assign({}, opts)
  })

  // This loads all plugins defined in routes
  // define your routes in one of these
  fastify.register(AutoLoad, {
    dir: path.join(__dirname, 'routes'),
    options: Object.assign({}, opts)
  })
}

module.exports.options = options
`,
  'plugins/database.js': `'use strict'

const fp = require('fastify-plugin')

module.exports = fp(async function (fastify, opts) {
  fastify.register(require('@fastify/postgres'), {
    connectionString: process.env.DATABASE_URL
  })
})
`,
  'routes/root.js': `'use strict'

module.exports = async function (fastify, opts) {
  fastify.get('/', async function (request, reply) {
    const { rows } = await fastify.pg.query('select 40 + 2 as answer')
    return rows[0]
  })
}
`,
  'test/program.js': `'use strict'

async function main() {
  const app = require('fastify')()
  await app.register(require('../app.js'))
  const { body } = await app.inject('/')
  console.log(JSON.parse(body).answer)
  await app.close()
}

main()
`,
}

/** express-generator style: a CommonJS module with a pool. */
export const EXPRESS_PG: Files = {
  'package.json': manifest({ express: '^5.0.0', pg: '^8.16.0' }),
  'db/index.js': `const { Pool } = require('pg');

const pool = new Pool({ connectionString: process.env.DATABASE_URL });

module.exports = {
  query: (text, params) => pool.query(text, params),
  end: () => pool.end(),
};
`,
  'program.js': `const db = require('./db');

db.query('select 40 + 2 as answer').then(({ rows }) => {
  console.log(rows[0].answer);
  return db.end();
});
`,
}
