import type { JSX } from 'preact'
import type { FleetView, PoolView } from '../src/index.ts'
import { t } from './language.ts'
import { Section } from './section.tsx'

/** How this process shares connections with the other instances of its fleets. */
export function Fleet({ pools }: { readonly pools: readonly PoolView[] }): JSX.Element | null {
  const members = pools.flatMap(({ id, name, fleet }) => (fleet ? [{ id, name, fleet }] : []))
  if (members.length === 0) return null
  return (
    <Section id="fleet" title={t('Fleet')}>
      <ul class="rows">
        {members.map(({ id, name, fleet }) => (
          <li key={id} class="member">
            <span class="label">{fleet.instance}</span>
            <span class="pool">{name}</span>
            <Share fleet={fleet} />
            <span>{t('could use {0}', fleet.demand)}</span>
            <span>{t('{0} instances share {1} connections', fleet.instances, fleet.sharedConnections)}</span>
            {fleet.adaptiveLimit !== undefined && <span>{t('adaptive limit of all: {0}', fleet.adaptiveLimit)}</span>}
          </li>
        ))}
      </ul>
    </Section>
  )
}

function Share({ fleet }: { readonly fleet: FleetView }): JSX.Element {
  const text = t('share {0} of {1}', fleet.maxConnections, fleet.sharedConnections)
  return (
    <span class="share">
      <meter min={0} max={Math.max(1, fleet.sharedConnections)} value={fleet.maxConnections} aria-label={text} />
      {text}
    </span>
  )
}
