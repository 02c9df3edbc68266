import { t } from '../output/translate.ts'
import { type Applied, isInForce } from './apply-changes.ts'
import type { Proposal } from './propose.ts'
import type { ServerState } from './server-state.ts'

/** The result of a proposal. `done`: a new session sees the value. */
export interface Result extends Omit<Proposal, 'standing'> {
  readonly standing: Proposal['standing'] | 'done' | 'failed'
}

/** Compares the applied changes with the settings of a new session. */
export function checkResults(proposals: readonly Proposal[], applied: Applied, after: ServerState): readonly Result[] {
  return proposals.map((proposal) => {
    if (proposal.standing !== 'change' && proposal.standing !== 'waits') return proposal
    const current = after.settings.get(proposal.name)
    // A pending value is in force after the restart, even if this role cannot see it.
    const arrived = proposal.standing === 'waits' ? current?.pendingRestart === false : isInForce(proposal, current)
    if (arrived) return { ...proposal, standing: 'done' }
    if (applied.rejected?.name === proposal.name) return asFailed(proposal, applied.rejected.message)
    if (!applied.changed.includes(proposal) && proposal.standing === 'change') return proposal
    if (proposal.takesEffect === 'after a restart' && current?.pendingRestart) return { ...proposal, standing: 'waits' }
    return asFailed(proposal, whyNot(proposal, after))
  })
}

function asFailed(proposal: Proposal, note: string): Result {
  return { ...proposal, standing: 'failed', note }
}

function whyNot({ name, by }: Proposal, { files, mayReload, settings }: ServerState): string {
  // PostgreSQL skips a file with an error. It also lists settings that need a restart as errors.
  const broken = files.find(({ error, name: other }) => error !== null && !settings.get(other ?? '')?.pendingRestart)
  if (broken) return t`set, but the server rejects its configuration files: ${broken.place}: ${broken.error}`
  if (by === 'system' && !mayReload) {
    return t`set, but this role may not reload the server: run select pg_catalog.pg_reload_conf() as a superuser`
  }
  const { source, file, line } = settings.get(name) ?? {}
  const where = file ? `${file}:${line}` : source
  return t`set, but not in force: ${where} overrides it`
}
