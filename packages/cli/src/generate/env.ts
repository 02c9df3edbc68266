import type { Budget } from '@poolguard/core'
import { type AppEnvironmentInput, appEnvironment } from './app-environment.ts'
import type { Generated } from './generated-file.ts'
import { POOLER_HOST, POOLER_PORT } from './pgbouncer-ini.ts'

/** `.env.example`: the app's variables, with a placeholder for the password. */
export function generateEnv(input: Omit<AppEnvironmentInput, 'password' | 'maxPerPool'>, budget: Budget): Generated {
  const { steps, maxPerPool } = budget
  const variables = appEnvironment({ ...input, maxPerPool, password: 'CHANGE_ME' })
  const lines = variables.flatMap(({ name, value, comment }) => [`# ${comment}`, `${name}=${value}`, ''])
  const head = ['# Made by `poolguard generate env`. The plan:', ...steps.map((step) => `#   ${step}`), '']
  return {
    budget,
    files: [{ path: '.env.example', content: [...head, ...lines].join('\n') }],
    next: [
      ...(input.pooler?.host === POOLER_HOST
        ? [
            `Where the app does not run beside it, put the address of your PgBouncer in the place of ${POOLER_HOST}:${POOLER_PORT}.`,
          ]
        : []),
      "cp .env.example .env    # then put the role's password in the place of CHANGE_ME, percent-encoded",
      'npx poolguard verify    # reads .env',
    ],
  }
}
