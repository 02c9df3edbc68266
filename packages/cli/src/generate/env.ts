import type { Budget } from '@poolguard/core'
import { type AppEnvironmentInput, appEnvironment } from './app-environment.ts'
import type { Generated } from './generated-file.ts'

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
      "cp .env.example .env    # then put the role's password in the place of CHANGE_ME, percent-encoded",
      'npx poolguard verify    # reads .env',
    ],
  }
}
