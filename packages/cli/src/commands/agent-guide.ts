import type { Command } from 'commander'
import { guideText } from '../agent-guide/guide-text.ts'
import type { Outcome } from '../outcome.ts'

const EXAMPLES = `
Examples:
  $ poolguard agent-guide
  $ poolguard agent-guide prisma
  $ poolguard agent-guide > POOLGUARD.md     # then name that file in AGENTS.md

Stacks: prisma, drizzle, typeorm, nestjs, fastify, express, koa, hono, nextjs, pg, postgres-js, sqlite. Other headings of the guide
are parts, too, such as serverless, shutdown and fleets. The guide is in English in every language.`

export function defineAgentGuide(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[part]', 'a stack or another heading of the guide (default: all of it)')
    .addHelpText('after', EXAMPLES)
    .action((part: string | undefined) => {
      const guide = guideText(part)
      done({ exitCode: 0, text: guide, json: { guide }, isFileContent: true })
    })
}
