import type { PoolerReport, ServerReport } from '@poolguard/core'
import type { JSX } from 'preact'
import type { SourceView } from '../src/index.ts'
import { count, duration } from './format.ts'
import { t } from './language.ts'
import { Locks } from './locks.tsx'
import { Section } from './section.tsx'
import { Table } from './table.tsx'

/** The servers and poolers, as they see themselves. */
export function Sources({ sources }: { readonly sources: readonly SourceView[] }): JSX.Element {
  return (
    <>
      {sources.map((source) => (
        <Source key={source.name} source={source} />
      ))}
    </>
  )
}

function Source({ source }: { readonly source: SourceView }): JSX.Element {
  const { name, report, isApp, problem } = source
  const isPooler = typeof report === 'object' && report.kind === 'pooler'
  const server = isPooler ? `PgBouncer ${report.version} · ${name}` : t('Server {0}', name)
  const title = isApp ? t('App {0}', name) : server
  return (
    <Section id={`source-${name.replaceAll(/\W/g, '-')}`} title={title}>
      {report === 'pending' && <p class="none">{t('Loading')}</p>}
      {report === 'unreachable' && <p class="problem">{problem ?? t('It does not answer.')}</p>}
      {typeof report === 'object' &&
        (report.kind === 'server' ? (
          <Server report={report} controlled={source.isControlled ? name : undefined} />
        ) : (
          <Pooler report={report} />
        ))}
    </Section>
  )
}

function Server(props: {
  readonly report: ServerReport
  /** The name of the source if the page may terminate its sessions. */
  readonly controlled: string | undefined
}): JSX.Element {
  const { report, controlled } = props
  const { maxConnections, reserved, used, applications, locks } = report
  const usable = maxConnections - reserved
  const text = t('{0} of {1} connections are open; {2} more are reserved', count(used), count(usable), count(reserved))
  return (
    <>
      <p class="usage">
        <meter min={0} max={usable} high={usable * 0.9} value={used} aria-label={text} /> {text}
      </p>
      {locks.length > 0 && <Locks locks={locks} controlled={controlled} />}
      <Table
        caption={t('Applications')}
        columns={[t('Application'), t('Role'), t('Connections'), t('Active'), t('Idle in transaction')]}
        rows={applications.map((each) => [
          each.application === '' ? t('without a name') : each.application,
          each.role,
          each.connections,
          each.active,
          each.idleInTransaction,
        ])}
      />
    </>
  )
}

function Pooler({ report }: { readonly report: PoolerReport }): JSX.Element {
  return (
    <Table
      caption={t('Pools of PgBouncer')}
      columns={[
        t('Database'),
        t('User'),
        t('Mode'),
        t('Clients active'),
        t('Clients waiting'),
        t('Longest wait'),
        t('Servers active'),
        t('Servers idle'),
      ]}
      rows={report.pools.map((each) => [
        each.database,
        each.user,
        each.poolMode,
        each.clientsActive,
        each.clientsWaiting,
        duration(each.maxWaitMillis),
        each.serversActive,
        each.serversIdle + each.serversUsed + each.serversTested,
      ])}
    />
  )
}
