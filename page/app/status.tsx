import type { JSX } from 'preact'
import type { PageDocument } from '../src/index.ts'
import { t } from './language.ts'

type Status = PageDocument['status']

const SIGNS = { healthy: '✓', warning: '!', critical: '✕' } as const satisfies Record<Status, string>

export function statusText(status: Status): string {
  if (status === 'healthy') return t('Healthy')
  return status === 'warning' ? t('Warning') : t('Critical')
}

/** The status as a sign and a word, so that it does not depend on colours. */
export function StatusBadge({ status }: { readonly status: Status }): JSX.Element {
  return (
    <span class={`status ${status}`}>
      <span aria-hidden="true">{SIGNS[status]}</span> {statusText(status)}
    </span>
  )
}
