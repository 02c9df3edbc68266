import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { HolderView, Shown } from '../src/index.ts'
import { caller, duration } from './format.ts'
import { t } from './language.ts'
import { Section } from './section.tsx'
import { readStack } from './server.ts'

/** Who holds connections now. */
export function Holders({ holders }: { readonly holders: Shown<HolderView> }): JSX.Element {
  const { entries, total } = holders
  return (
    <Section id="holders" title={t('Connections in use')} total={total} shown={entries.length}>
      {total === 0 && <p class="none">{t('No connection is in use.')}</p>}
      <ol class="rows">
        {entries.map((holder) => (
          <Holder key={holder.id} holder={holder} />
        ))}
      </ol>
    </Section>
  )
}

function Holder({ holder }: { readonly holder: HolderView }): JSX.Element {
  return (
    <li class={`holder${holder.suspected ? ' suspected' : ''}`}>
      <span class="age" title={t('Held for')}>
        {duration(holder.heldMillis)}
      </span>
      <span class="label">{caller(holder.label)}</span>
      <span class="pool">{holder.pool}</span>
      {holder.lane !== null && <span class="lane">{t('lane {0}', holder.lane)}</span>}
      <span class={`state ${holder.state.replaceAll(' ', '-')}`}>{stateText(holder)}</span>
      {holder.suspected && <span class="state leak">{t('Suspected leak')}</span>}
      {holder.hasStack && <Stack holder={holder} />}
      {holder.statement !== null && <code class="statement">{holder.statement}</code>}
    </li>
  )
}

function stateText({ state, runningMillis, quietMillis }: HolderView): string {
  if (state === 'running') return t('running for {0}', duration(runningMillis ?? 0))
  if (state === 'idle') return t('idle for {0}', duration(quietMillis))
  return t('idle in transaction for {0}', duration(quietMillis))
}

/** The stack of the caller, which the page requests when it is opened. */
function Stack({ holder }: { readonly holder: HolderView }): JSX.Element {
  const [stack, setStack] = useState<string | null>()
  const open = (event: Event) => {
    if (!(event.currentTarget as HTMLDetailsElement).open || stack !== undefined) return
    readStack(holder.id).then(setStack, () => setStack(null))
  }
  return (
    <details onToggle={open}>
      <summary>{t('Stack')}</summary>
      <pre>{stack === undefined ? t('Loading') : (stack ?? t('The connection has been released.'))}</pre>
    </details>
  )
}
