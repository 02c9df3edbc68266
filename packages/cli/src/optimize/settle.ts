import { type Applied, hasArrived } from './apply-changes.ts'
import type { Proposal } from './propose.ts'
import type { ServerState } from './server-state.ts'

/** What has come of a proposal. `done`: seen in force by a new session. */
export interface Result extends Omit<Proposal, 'standing'> {
  readonly standing: Proposal['standing'] | 'done' | 'failed'
}

/** Holds what was done against what a new session sees. */
export function settle(proposals: readonly Proposal[], applied: Applied, after: ServerState): readonly Result[] {
  return proposals.map((proposal) => {
    if (proposal.standing !== 'change' && proposal.standing !== 'waits') return proposal
    const current = after.settings.get(proposal.name)
    // What waited has come with the restart, whatever it is: this role may not know.
    const arrived = proposal.standing === 'waits' ? current?.pendingRestart === false : hasArrived(proposal, current)
    if (arrived) return { ...proposal, standing: 'done' }
    if (applied.refused?.name === proposal.name) return failed(proposal, applied.refused.message)
    if (!applied.changed.includes(proposal) && proposal.standing === 'change') return proposal
    if (proposal.takesEffect === 'after a restart' && current?.pendingRestart) return { ...proposal, standing: 'waits' }
    return failed(proposal, whyNot(proposal, after))
  })
}

function failed(proposal: Proposal, note: string): Result {
  return { ...proposal, standing: 'failed', note }
}

function whyNot({ name, by }: Proposal, { files, mayReload, settings }: ServerState): string {
  // A file with an error is not read at all, but for settings that need a restart, which are told there as well.
  const broken = files.find(({ error, name: other }) => error !== null && !settings.get(other ?? '')?.pendingRestart)
  if (broken) return `it is written, but the server does not take its files: ${broken.place}: ${broken.error}`
  if (by === 'system' && !mayReload) {
    return 'it is written, but this role may not reload the server: select pg_catalog.pg_reload_conf() as one who may'
  }
  const { source, file, line } = settings.get(name) ?? {}
  const where = file ? `${file}:${line}` : source
  return `it is written, but not in force: what counts is ${where}`
}
