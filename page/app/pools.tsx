import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { LaneView, PageDocument, PoolSample, PoolView } from '../src/index.ts'
import { Chart, type Series } from './chart.tsx'
import { count, duration } from './format.ts'
import type { History } from './history.ts'
import { t } from './language.ts'
import { PoolActions } from './pool-actions.tsx'
import { Section } from './section.tsx'
import { StatusBadge } from './status.tsx'
import { Table } from './table.tsx'

/** Pools with charts; the others are a line each. */
export const CHARTED_POOLS = 12

export function Pools(props: {
  readonly shown: PageDocument
  readonly history: History
  readonly filter: string
  readonly onFilter: (filter: string) => void
}): JSX.Element {
  const { entries, total } = props.shown.pools
  const charted = entries.slice(0, CHARTED_POOLS)
  const others = entries.slice(CHARTED_POOLS)
  const isFilterUseful = total > 1 || props.filter !== ''
  return (
    <Section
      id="pools"
      title={t('Pools')}
      total={total}
      shown={entries.length}
      aside={isFilterUseful && <Filter filter={props.filter} onFilter={props.onFilter} />}
    >
      {total === 0 && (
        <p class="none">{props.filter === '' ? t('No pool has been used yet.') : t('No pool has this name.')}</p>
      )}
      <div class="cards">
        {charted.map((pool) => (
          <PoolCard key={pool.id} pool={pool} samples={props.history.of(pool.id)} />
        ))}
      </div>
      {others.length > 0 && (
        <ul class="rows">
          {others.map((pool) => (
            <PoolLine key={pool.id} pool={pool} />
          ))}
        </ul>
      )}
    </Section>
  )
}

/** A new filter is a new stream: begin it when the typing has stopped. */
const TYPING_MILLIS = 250

/** Shows only pools with this text in their names, and only their holders, waiters, findings and events. */
function Filter(props: { readonly filter: string; readonly onFilter: (filter: string) => void }): JSX.Element {
  const typing = useRef<ReturnType<typeof setTimeout>>(undefined)
  const onInput = (text: string) => {
    clearTimeout(typing.current)
    typing.current = setTimeout(() => props.onFilter(text.trim()), TYPING_MILLIS)
  }
  return (
    <label class="filter">
      {t('Filter by name')}
      <input type="search" defaultValue={props.filter} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  )
}

function PoolCard({
  pool,
  samples,
}: {
  readonly pool: PoolView
  readonly samples: readonly PoolSample[]
}): JSX.Element {
  const latest = samples.at(-1) ?? pool.sample
  const waitP99 = latest[4]
  return (
    <article class={`card ${pool.status}`} aria-label={t('Pool {0}', pool.name)}>
      <div class="heading">
        <h3>{pool.name}</h3>
        <StatusBadge status={pool.status} />
      </div>
      <p class="target">{pool.target}</p>
      {pool.server !== null && <p class="server">{pool.server}</p>}
      <div class="charts">
        <Chart
          title={t('In use')}
          value={t('{0} of {1}', pool.active, pool.max)}
          series={IN_USE}
          samples={samples}
          leastTop={pool.max}
        />
        <Chart title={t('Waiting')} value={count(pool.waiting)} series={WAITING} samples={samples} leastTop={5} />
        <Chart
          title={t('Wait p99')}
          value={waitP99 === null ? '–' : duration(waitP99)}
          series={WAIT}
          samples={samples}
          leastTop={10}
          format={duration}
        />
      </div>
      <dl class="figures">
        {pool.limit < pool.max && <Figure name={t('Limit')} value={pool.limit} />}
        <Figure name={t('Idle')} value={pool.idle} />
        <Figure name={t('Connecting')} value={pool.connecting} />
        <Figure name={t('Timeouts')} value={pool.timeouts} isBad={pool.timeouts > 0} />
        <Figure name={t('Suspected leaks')} value={pool.suspectedLeaks} isBad={pool.suspectedLeaks > 0} />
      </dl>
      {pool.lanes.length > 0 && <Lanes lanes={pool.lanes} />}
      {pool.isControlled && <PoolActions pool={pool} />}
    </article>
  )
}

const IN_USE: readonly Series[] = [
  { index: 1, name: 'active', color: '--chart-use', fill: true },
  { index: 2, name: 'max', color: '--chart-limit', fill: false },
]
const WAITING: readonly Series[] = [{ index: 3, name: 'waiting', color: '--chart-waiting', fill: true }]
const WAIT: readonly Series[] = [{ index: 4, name: 'p99', color: '--chart-wait', fill: true }]

function Figure(props: { readonly name: string; readonly value: number; readonly isBad?: boolean }): JSX.Element {
  return (
    <div class={props.isBad ? 'bad' : undefined}>
      <dt>{props.name}</dt>
      <dd>{count(props.value)}</dd>
    </div>
  )
}

/** The lanes of a pool, each with its own limit and queue. */
function Lanes({ lanes }: { readonly lanes: readonly LaneView[] }): JSX.Element {
  return (
    <Table
      caption={t('Lanes')}
      columns={[t('Lane'), t('In use'), t('At most'), t('Waiting')]}
      rows={lanes.map(({ name, active, max, waiting }) => [name, active, max, waiting])}
    />
  )
}

function PoolLine({ pool }: { readonly pool: PoolView }): JSX.Element {
  return (
    <li class={`line ${pool.status}`}>
      <StatusBadge status={pool.status} />
      <strong>{pool.name}</strong>
      <span>{t('{0} of {1} in use', pool.active, pool.max)}</span>
      <span>{t('{0} waiting', count(pool.waiting))}</span>
    </li>
  )
}
