import type { JSX } from 'preact'
import { count } from './format.ts'

/** A table that scrolls by itself where the screen is too narrow for it. */
export function Table(props: {
  readonly caption: string
  readonly columns: readonly string[]
  /** Numbers are aligned to the right. The first two cells identify the row. */
  readonly rows: readonly (readonly (string | number)[])[]
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <section class="scroll" aria-label={props.caption} tabIndex={0}>
      <table>
        <caption>{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column, i) => (
              <th key={column} scope="col" class={typeof props.rows[0]?.[i] === 'number' ? 'number' : undefined}>
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((cells) => (
            <tr key={cells.slice(0, 2).join(' ')}>
              {cells.map((cell, i) => (
                <td key={props.columns[i]} class={typeof cell === 'number' ? 'number' : undefined}>
                  {typeof cell === 'number' ? count(cell) : cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
