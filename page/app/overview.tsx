import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PageDocument } from '../src/index.ts'
import { Events } from './events.tsx'
import { Findings } from './findings.tsx'
import { Fleet } from './fleet.tsx'
import { Header } from './header.tsx'
import { History } from './history.ts'
import { Holders } from './holders.tsx'
import { t } from './language.ts'
import { CHARTED_POOLS, Pools } from './pools.tsx'
import { signOut } from './server.ts'
import { Sources } from './sources.tsx'
import { Waiters } from './waiters.tsx'
import { type Connection, watch } from './watch.ts'

export function Overview(props: {
  readonly onSignedOut: () => void
  readonly onSwitchLanguage: () => void
}): JSX.Element {
  const history = useRef(new History()).current
  const [shown, setShown] = useState<PageDocument>()
  const [connection, setConnection] = useState<Connection>('connecting')
  const [filter, setFilter] = useState('')
  useEffect(
    () =>
      watch(filter, {
        onDocument: (next) => {
          history.add(
            next,
            next.pools.entries.slice(0, CHARTED_POOLS).map(({ id }) => id),
          )
          setShown(next)
        },
        onConnection: setConnection,
        onSignedOut: props.onSignedOut,
      }),
    [filter],
  )
  const logOut = () => void signOut().then(props.onSignedOut)
  return (
    <>
      <Header shown={shown} connection={connection} onLogOut={logOut} onSwitchLanguage={props.onSwitchLanguage} />
      {shown ? (
        <main>
          <Findings shown={shown} />
          {(shown.watched === null || shown.watched.hasApps) && (
            <>
              <Pools shown={shown} history={history} filter={filter} onFilter={setFilter} />
              <Holders holders={shown.holders} />
              <Waiters waiters={shown.waiters} />
              <Fleet pools={shown.pools.entries} />
            </>
          )}
          <Sources sources={shown.sources} />
          <Events events={shown.events} />
        </main>
      ) : (
        <p class="loading">{t('Loading')}</p>
      )}
    </>
  )
}
