import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { PageDocument } from '../src/index.ts'
import { timeOfDay } from './format.ts'
import { t } from './language.ts'
import { StatusBadge, statusText } from './status.tsx'
import type { Connection } from './watch.ts'

export function Header(props: {
  readonly shown: PageDocument | undefined
  readonly connection: Connection
  readonly onLogOut: () => void
  readonly onSwitchLanguage: () => void
}): JSX.Element {
  const { shown, connection } = props
  useEffect(() => {
    document.title = shown ? `${statusText(shown.status)} · poolguard` : 'poolguard'
  })
  return (
    <header>
      <h1>poolguard</h1>
      {shown && <StatusBadge status={shown.status} />}
      {shown && <span class="process">{describeProcess(shown)}</span>}
      <span class={`connection ${connection}`} role="status">
        {connectionText(connection, shown)}
      </span>
      <nav aria-label={t('Page')}>
        <button type="button" class="plain" onClick={props.onSwitchLanguage}>
          {t('中文')}
        </button>
        <button type="button" class="plain" onClick={props.onLogOut}>
          {t('Log out')}
        </button>
      </nav>
    </header>
  )
}

/** The process that the page belongs to, or what it watches from outside. */
function describeProcess({ process, watched }: PageDocument): string {
  return watched ? watched.names.join(' · ') : t('process {0} on {1}', process.pid, process.host)
}

function connectionText(connection: Connection, shown: PageDocument | undefined): string {
  if (connection === 'live') return t('Live')
  if (connection === 'polling') return t('Updated every 2 s')
  if (connection === 'connecting' || !shown) return t('Connecting')
  return t('Connection lost. Figures from {0}', timeOfDay(shown.time))
}
