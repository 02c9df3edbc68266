import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { PoolSample } from '../src/index.ts'
import { count, timeOfDay } from './format.ts'
import { t } from './language.ts'

const HEIGHT = 44
/** A chart grows with the history until it shows ten minutes. */
const MIN_SECONDS = 60
const MAX_SECONDS = 600

/** One line of a chart. */
export interface Series {
  /** Its place in a sample. */
  readonly index: 1 | 2 | 3 | 4
  readonly name: string
  /** The style sheet's name of its colour. */
  readonly color: string
  readonly fill: boolean
}

interface ChartProps {
  readonly title: string
  /** The current value. */
  readonly value: string
  readonly series: readonly Series[]
  readonly samples: readonly PoolSample[]
  /** The vertical axis reaches at least this value. */
  readonly leastTop: number
  readonly format?: (value: number) => string
}

/** A sparkline of the last ten minutes. The pointer shows the value at its time. */
export function Chart({ title, value, series, samples, leastTop, format = count }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const top = useRef(leastTop)
  const [pointed, setPointed] = useState<number | null>(null)
  top.current = leastTop
  useEffect(() => {
    const element = place.current
    if (!element) return undefined
    const made = new UPlot(optionsOf(element, series, top, setPointed), columnsOf(samples, series), element)
    plot.current = made
    const fit = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    fit.observe(element)
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const redraw = () => made.redraw()
    scheme.addEventListener('change', redraw)
    return () => {
      scheme.removeEventListener('change', redraw)
      fit.disconnect()
      made.destroy()
    }
  }, [])
  const last = samples.at(-1)
  useEffect(() => plot.current?.setData(columnsOf(samples, series)), [last, samples])
  const [first] = series
  const values = first ? samples.flatMap((sample) => sample[first.index] ?? []) : []
  const highest = Math.max(0, ...values)
  const at = pointed === null ? undefined : samples[pointed]
  const atValue = at && first ? at[first.index] : undefined
  const shown = at ? `${timeOfDay(at[0] * 1_000)} · ${atValue == null ? '–' : format(atValue)}` : value
  return (
    <div class="chart">
      <span class="name">{title}</span>
      <span class="value">{shown}</span>
      <div
        ref={place}
        class="plot"
        role="img"
        aria-label={t('{0} in the last ten minutes: now {1}, highest {2}', title, value, format(highest))}
      />
    </div>
  )
}

function optionsOf(
  element: HTMLElement,
  series: readonly Series[],
  top: { readonly current: number },
  onPointed: (index: number | null) => void,
): UPlot.Options {
  const colorOf = (name: string) => getComputedStyle(element).getPropertyValue(name)
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [2, 0, 2, 0],
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    select: { show: false, left: 0, top: 0, width: 0, height: 0 },
    scales: {
      x: { time: true, range: (_, min, max) => [max - clamp(max - min), max] },
      y: { range: (_, _min, max) => [0, Math.max(max ?? 0, top.current)] },
    },
    series: [
      {},
      ...series.map(({ color, fill }) => ({
        stroke: () => colorOf(color),
        width: fill ? 1.5 : 1,
        points: { show: false },
        ...(fill ? { fill: () => `${colorOf(color)}33` } : { dash: [4, 4] }),
      })),
    ],
    hooks: { setCursor: [({ cursor }) => onPointed(cursor.idx ?? null)] },
  }
}

function clamp(seconds: number): number {
  return Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, seconds || 0))
}

function columnsOf(samples: readonly PoolSample[], series: readonly Series[]): UPlot.AlignedData {
  const times = samples.map(([time]) => time)
  return [times, ...series.map(({ index }) => samples.map((sample) => sample[index]))] as UPlot.AlignedData
}
