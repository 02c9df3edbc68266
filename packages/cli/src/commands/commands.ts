import type { Command } from 'commander'
import type { Outcome } from '../outcome.ts'

/** A command: what the list of commands says about it, and where its options and its work are. */
export interface CommandEntry {
  readonly name: string
  readonly description: string
  /** Loads the function that adds options and help to the command, and passes on its outcome. */
  readonly load: () => Promise<(command: Command, done: (outcome: Outcome) => void) => void>
}

/** All commands, in the order of the help. Only a command that is called is loaded: together they are a megabyte of code. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'plan',
    description: 'Work out how many connections each pool may have, from the limits of the server.',
    load: async () => (await import('./plan.ts')).definePlan,
  },
  {
    name: 'doctor',
    description:
      'Find connection problems of this project and its database: what is wrong, why it matters, what to change.',
    load: async () => (await import('./doctor.ts')).defineDoctor,
  },
  {
    name: 'check',
    description:
      'Check in CI that all pools of all workloads fit into max_connections, and fail with the line to change.',
    load: async () => (await import('./check.ts')).defineCheck,
  },
  {
    name: 'free',
    description: 'Free connections now: list the sessions that block or do nothing, and end them after asking.',
    load: async () => (await import('./free.ts')).defineFree,
  },
  {
    name: 'generate',
    description:
      'Write configuration files for the plan: compose, kubernetes, pgbouncer, postgres, rds, env, prometheus, grafana.',
    load: async () => (await import('./generate.ts')).defineGenerate,
  },
  {
    name: 'init',
    description: 'Adopt poolguard in this project: show the diff for its ORM, driver and framework, and apply it.',
    load: async () => (await import('./init.ts')).defineInit,
  },
  {
    name: 'optimize',
    description: 'Compare the settings of a running server with the recommended ones, and apply them with --apply.',
    load: async () => (await import('./optimize.ts')).defineOptimize,
  },
  {
    name: 'verify',
    description: 'Check after a deployment that the database, or the pooler in front of it, does what an app needs.',
    load: async () => (await import('./verify.ts')).defineVerify,
  },
  {
    name: 'stress',
    description: 'Run load through one pool: latencies, errors, and how many connections the server sees.',
    load: async () => (await import('./stress.ts')).defineStress,
  },
  {
    name: 'monitor',
    description:
      'Log how many connections each application holds, and alert when the server fills up or a count keeps growing.',
    load: async () => (await import('./monitor.ts')).defineMonitor,
  },
  {
    name: 'top',
    description: 'Watch a server live, in the whole terminal: who holds connections, who blocks whom, pools and waits.',
    load: async () => (await import('./top.ts')).defineTop,
  },
  {
    name: 'ui',
    description: 'Show a server and the pools of apps in the browser, live: who holds connections, who waits, and why.',
    load: async () => (await import('./ui.ts')).defineUi,
  },
  {
    name: 'agent-guide',
    description: 'Print a guide in Markdown with which coding assistants set up poolguard correctly.',
    load: async () => (await import('./agent-guide.ts')).defineAgentGuide,
  },
]
