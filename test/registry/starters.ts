/** How an official starter makes an app, and what the documentation of its framework and its ORM adds for PostgreSQL. */
export interface Starter {
  /** The package that makes the app. */
  readonly generator: string
  /** Its program and the arguments that make an app in the folder `app` without questions. */
  readonly create: readonly string[]
  readonly dependencies?: readonly string[]
  /** Files that are added or replaced. `/answer` of the app answers with `ANSWER`. */
  readonly files: Readonly<Record<string, string>>
  /** Changes of files that the starter has made. */
  readonly edits?: Readonly<Record<string, (text: string) => string>>
  readonly build: readonly string[]
  /** Starts the built app, which listens on `PORT`. */
  readonly start: readonly string[]
}

export const ANSWER = { answer: 42 }

/** A module that processes of the app load first: it prints `guarded` once a guarded pool is open. */
export const WATCH = `require('node:diagnostics_channel').subscribe('poolguard:opened', () => console.log('guarded'))
`

const QUERY = 'select 40 + 2 as answer'

export const STARTERS: Readonly<Record<string, Starter>> = {
  'Fastify, with @fastify/postgres': {
    generator: 'fastify-cli',
    create: ['fastify', 'generate', 'app', '--lang=ts'],
    dependencies: ['@fastify/postgres', 'pg'],
    files: {
      'src/plugins/database.ts': `import fp from 'fastify-plugin'
import postgres from '@fastify/postgres'

export default fp(async (fastify) => {
  fastify.register(postgres, { connectionString: process.env.DATABASE_URL })
})
`,
      'src/routes/answer/index.ts': `import { FastifyPluginAsync } from 'fastify'

const answer: FastifyPluginAsync = async (fastify): Promise<void> => {
  fastify.get('/', async function (request, reply) {
    const { rows } = await fastify.pg.query('${QUERY}')
    return rows[0]
  })
}

export default answer
`,
    },
    // TypeScript 6 asks for it (TS5011), and the starter does not set it.
    edits: { 'tsconfig.json': (text) => text.replace('"outDir"', '"rootDir": "src",\n    "outDir"') },
    build: ['npm', 'run', 'build:ts'],
    start: ['npx', 'fastify', 'start', 'dist/app.js'],
  },
  'Nest, with TypeORM': {
    generator: '@nestjs/cli',
    create: ['nest', 'new', 'app', '--package-manager', 'npm', '--skip-install', '--skip-git'],
    dependencies: ['@nestjs/typeorm', 'typeorm', 'pg'],
    files: {
      'src/answer.controller.ts': `import { Controller, Get } from '@nestjs/common';
import { DataSource } from 'typeorm';

@Controller('answer')
export class AnswerController {
  constructor(private readonly dataSource: DataSource) {}

  @Get()
  async answer(): Promise<unknown> {
    const [row] = await this.dataSource.query('${QUERY}');
    return row;
  }
}
`,
    },
    edits: {
      'src/app.module.ts': (text) =>
        text
          .replace(
            "from '@nestjs/common';",
            `from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AnswerController } from './answer.controller.js';`,
          )
          .replace(
            'imports: []',
            "imports: [TypeOrmModule.forRoot({ type: 'postgres', url: process.env.DATABASE_URL })]",
          )
          .replace('controllers: [', 'controllers: [AnswerController, '),
    },
    build: ['npm', 'run', 'build'],
    start: ['npm', 'run', 'start:prod'],
  },
  'Next, with Drizzle over pg': {
    generator: 'create-next-app',
    create: [
      ...['create-next-app', 'app', '--yes', '--empty', '--app', '--typescript', '--no-tailwind', '--no-linter'],
      ...['--use-npm', '--skip-install', '--disable-git'],
    ],
    dependencies: ['drizzle-orm', 'pg', '@types/pg'],
    files: {
      'db/index.ts': `import { drizzle } from 'drizzle-orm/node-postgres';

export const db = drizzle(process.env.DATABASE_URL!);
`,
      'app/answer/route.ts': `import { sql } from 'drizzle-orm';
import { connection } from 'next/server';
import { db } from '@/db';

export async function GET() {
  await connection();
  const { rows } = await db.execute(sql\`${QUERY}\`);
  return Response.json(rows[0]);
}
`,
    },
    build: ['npm', 'run', 'build'],
    start: ['npm', 'run', 'start'],
  },
  'create-t3-app, with Drizzle over postgres.js': {
    generator: 'create-t3-app',
    create: [
      ...['create-t3-app', 'app', '--CI', '--drizzle', '--dbProvider', 'postgres', '--appRouter'],
      ...['--noGit', '--noInstall'],
    ],
    files: {
      'src/app/answer/route.ts': `import { sql } from "drizzle-orm";
import { connection } from "next/server";
import { db } from "~/server/db";

export async function GET() {
  await connection();
  const [row] = await db.execute(sql\`${QUERY}\`);
  return Response.json(row);
}
`,
    },
    edits: {
      // The build would load the font from a site, and the tests need the registry only.
      'src/app/layout.tsx': (text) =>
        text.replace(
          'import { Geist } from "next/font/google";',
          'const Geist = (_options: object) => ({ className: "" });',
        ),
    },
    build: ['npm', 'run', 'build'],
    start: ['npm', 'run', 'start'],
  },
  'SvelteKit, with its add-on for Drizzle over postgres.js': {
    generator: 'sv',
    create: [
      ...['sv', 'create', 'app', '--template', 'minimal', '--types', 'ts', '--no-install'],
      ...['--add', 'drizzle=database:postgresql+postgresql:postgres.js+docker:no', 'sveltekit-adapter=adapter:node'],
    ],
    files: {
      'src/routes/answer/+server.ts': `import { json } from '@sveltejs/kit';
import { sql } from 'drizzle-orm';
import { db } from '$lib/server/db';

export const GET = async () => {
	const [row] = await db.execute(sql\`${QUERY}\`);
	return json(row);
};
`,
    },
    build: ['npm', 'run', 'build'],
    start: ['node', 'build'],
  },
}
