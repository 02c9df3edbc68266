import type { ComponentChildren, JSX } from 'preact'
import { count } from './format.ts'
import { t } from './language.ts'

/** A part of the page with its heading, and how many of all entries it shows. */
export function Section(props: {
  readonly id: string
  readonly title: string
  readonly total?: number | undefined
  readonly shown?: number | undefined
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
}): JSX.Element {
  const { id, title, total, shown = total } = props
  return (
    <section aria-labelledby={id} class={id}>
      <div class="heading">
        <h2 id={id}>
          {title} {total !== undefined && <span class="total">{count(total)}</span>}
        </h2>
        {props.aside}
      </div>
      {props.children}
      {total !== undefined && shown !== undefined && shown < total && (
        <p class="more">{t('{0} of {1} are shown.', count(shown), count(total))}</p>
      )}
    </section>
  )
}
