/** What the plot shows of one workload: a value for each limit, and for the adaptive one. */
export interface Curve {
  readonly title: string
  /** The limit that was found. */
  readonly found: number
  readonly throughput: ReadonlyMap<number | 'adaptive', number>
  readonly heldP99Millis: ReadonlyMap<number | 'adaptive', number>
}

const COLUMNS = 4
const CELL = { width: 232, height: 262 }
const PLOT = { left: 40, width: 176, throughputTop: 34, millisTop: 152, height: 84 }
const MARGIN = { top: 44, bottom: 8, side: 8 }

/** On a background of its own, so that it is readable on pages whose colours do not follow the system. */
const STYLE = `
  .ground { fill: #ffffff } text { fill: #24292f; font: 11px system-ui, sans-serif } .title { font-weight: 600; font-size: 12px }
  .grid { stroke: #d0d7de } .line { fill: none; stroke: #0969da; stroke-width: 1.8 } .point { fill: #0969da }
  .adaptive { stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 5 3 } .found { fill: #bc4c00 } .minor { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #30363d } .line { stroke: #58a6ff } .point { fill: #58a6ff }
    .adaptive { stroke: #f0883e } .found { fill: #f0883e } .minor { fill: #9198a1 }
  }`

/** An SVG with a cell for each workload: throughput above, latency below, both against the number of connections in use. */
export function plotCurves(curves: readonly Curve[]): string {
  const rows = Math.ceil(curves.length / COLUMNS)
  const width = 2 * MARGIN.side + COLUMNS * CELL.width
  const height = MARGIN.top + rows * CELL.height + MARGIN.bottom
  const cells = curves.map((curve, i) => {
    const [x, y] = [MARGIN.side + (i % COLUMNS) * CELL.width, MARGIN.top + Math.floor(i / COLUMNS) * CELL.height]
    return `<g transform="translate(${x} ${y})">${plotCell(curve)}</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Throughput and latency against the number of connections in use, for each workload">`,
    `<style>${STYLE}</style>`,
    `<rect class="ground" width="${width}" height="${height}" rx="6"/>`,
    `<g transform="translate(16 24)">${legend()}</g>`,
    ...cells,
    '</svg>\n',
  ].join('\n')
}

function legend(): string {
  return [
    '<path class="line" d="M0 -4h22"/><circle class="point" cx="11" cy="-4" r="2.5"/>',
    '<text x="28">a fixed number of connections in use</text>',
    '<path class="adaptive" d="M240 -4h22"/><circle class="found" cx="251" cy="-4" r="3.5"/>',
    `<text x="268">limit: 'adaptive', and the number that it found</text>`,
  ].join('')
}

function plotCell({ title, found, throughput, heldP99Millis }: Curve): string {
  const best = Math.max(...throughput.values())
  const shares = new Map([...throughput].map(([limit, rate]) => [limit, rate / best] as const))
  const limits = [...throughput.keys()].filter((limit) => limit !== 'adaptive').toSorted((a, b) => a - b)
  const x = scale([limits[0] ?? 1, limits.at(-1) ?? 1].map(Math.log2), [PLOT.left, PLOT.left + PLOT.width])
  const all = [...heldP99Millis.values()].map(Math.log10)
  const decades = [Math.floor(Math.min(...all)), Math.ceil(Math.max(...all))]
  const top = PLOT.throughputTop
  const share = scale([0, 1], [top + PLOT.height, top])
  const millis = scale(decades, [PLOT.millisTop + PLOT.height, PLOT.millisTop])
  const atLimit = (limit: number) => x(Math.log2(limit))
  const ticks = Array.from({ length: (decades[1] ?? 0) - (decades[0] ?? 0) + 1 }, (_, i) => (decades[0] ?? 0) + i)
  return [
    `<text class="title" x="${PLOT.left}" y="12">${title}</text>`,
    `<text class="minor" x="${PLOT.left}" y="27">throughput, share of ${Math.round(best).toLocaleString('en')}/s</text>`,
    ...[0, 0.5, 1].map((value) => gridLine(share(value), String(value))),
    drawCurve(limits, shares, found, { atLimit, y: share }),
    `<text class="minor" x="${PLOT.left}" y="${PLOT.millisTop - 8}">p99 of a checkout, ms</text>`,
    ...ticks.map((value) => gridLine(millis(value), String(Number((10 ** value).toPrecision(1))))),
    drawCurve(limits, heldP99Millis, found, { atLimit, y: (value) => millis(Math.log10(value)) }),
    ...limits
      .filter((limit) => Number.isInteger(Math.log2(limit)))
      .map((limit) => text(atLimit(limit), PLOT.millisTop + PLOT.height + 15, String(limit), 'middle')),
  ].join('')
}

interface Axes {
  readonly atLimit: (limit: number) => number
  readonly y: (value: number) => number
}

function drawCurve(
  limits: readonly number[],
  values: ReadonlyMap<number | 'adaptive', number>,
  found: number,
  { atLimit, y }: Axes,
): string {
  const points = limits.map((limit) => [round(atLimit(limit)), round(y(values.get(limit) ?? Number.NaN))] as const)
  const adaptive = round(y(values.get('adaptive') ?? Number.NaN))
  return [
    `<polyline class="line" points="${points.map((point) => point.join(',')).join(' ')}"/>`,
    ...points.map(([cx, cy]) => `<circle class="point" cx="${cx}" cy="${cy}" r="2.5"/>`),
    `<path class="adaptive" d="M${PLOT.left} ${adaptive}h${PLOT.width}"/>`,
    `<circle class="found" cx="${round(atLimit(found))}" cy="${adaptive}" r="3.5"/>`,
  ].join('')
}

function gridLine(y: number, label: string): string {
  return `<path class="grid" d="M${PLOT.left} ${round(y)}h${PLOT.width}"/>${text(PLOT.left - 5, round(y) + 4, label, 'end')}`
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text class="minor" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${content}</text>`
}

function scale(from: readonly number[], to: readonly [number, number]): (value: number) => number {
  const [low = 0, high = 1] = from
  return (value) => to[0] + ((to[1] - to[0]) * (value - low)) / (high - low || 1)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
