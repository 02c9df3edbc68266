/** One media range of an Accept header. */
interface MediaRange {
  readonly type: string
  readonly version: string | undefined
  /** From 0 (not acceptable) to 1 (preferred). */
  readonly quality: number
}

const OPEN_METRICS = 'application/openmetrics-text'
/** The only version that poolguard renders. */
const VERSION = '1.0.0'
/** The media ranges that match text, the most specific first. */
const TEXT = ['text/plain', 'text/*', '*/*']

/**
 * Whether an Accept header names OpenMetrics, with a quality of at least that of text.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function acceptsOpenMetrics(accept = ''): boolean {
  const ranges = accept.split(',').map(readMediaRange)
  const openMetrics = ranges.filter(({ type, version = VERSION }) => type === OPEN_METRICS && version === VERSION)
  const quality = Math.max(0, ...openMetrics.map((range) => range.quality))
  const text = TEXT.map((each) => ranges.find(({ type }) => type === each)).find((range) => range !== undefined)
  return quality > 0 && quality >= (text?.quality ?? 0)
}

function readMediaRange(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(rest.map(readParameter))
  const quality = Number(parameters.get('q') ?? 1)
  return { type, version: parameters.get('version'), quality: Number.isNaN(quality) ? 0 : quality }
}

function readParameter(pair: string): readonly [name: string, value: string] {
  const [name = '', ...value] = pair.split('=')
  return [name.trim(), value.join('=').replaceAll('"', '').trim()]
}
