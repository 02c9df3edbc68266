import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import type { PoolView } from '../src/index.ts'
import { Action } from './action.tsx'
import { t } from './language.ts'

/** What an operator may do to a pool. */
export function PoolActions({ pool }: { readonly pool: PoolView }): JSX.Element {
  const max = useRef<HTMLInputElement>(null)
  return (
    <div class="actions">
      <Action
        name={t('Resize')}
        question={t('Change how many connections {0} may open? It lasts until the process ends.', pool.name)}
        action={() => ({ action: 'resize', pool: pool.id, max: max.current?.valueAsNumber ?? pool.max })}
      >
        <label>
          {t('At most')} <input ref={max} type="number" min={1} max={10_000} required defaultValue={String(pool.max)} />
        </label>
      </Action>
      <Action
        name={t('Close idle connections')}
        question={t('Close the idle connections of {0}? Callers open new ones when they need them.', pool.name)}
        action={() => ({ action: 'close idle', pool: pool.id })}
      />
    </div>
  )
}
