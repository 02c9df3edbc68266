/** What an Accept header says of a format. */
interface Wish {
  readonly type: string
  readonly version: string | undefined
  /** 0 is a refusal, 1 the first choice. */
  readonly quality: number
}

const OPEN_METRICS = 'application/openmetrics-text'
/** The only one that is rendered. */
const VERSION = '1.0.0'
/** From the one that says most to the one that says least. */
const TEXT = ['text/plain', 'text/*', '*/*']

/**
 * Whether an Accept header names OpenMetrics, and likes it no less than text.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1
 */
export function acceptsOpenMetrics(accept = ''): boolean {
  const wishes = accept.split(',').map(readWish)
  const asked = wishes.filter(({ type, version = VERSION }) => type === OPEN_METRICS && version === VERSION)
  const quality = Math.max(0, ...asked.map((wish) => wish.quality))
  const text = TEXT.map((each) => wishes.find(({ type }) => type === each)).find((wish) => wish !== undefined)
  return quality > 0 && quality >= (text?.quality ?? 0)
}

function readWish(text: string): Wish {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase())
  const parameters = new Map(rest.map(readParameter))
  const quality = Number(parameters.get('q') ?? 1)
  return { type, version: parameters.get('version'), quality: Number.isNaN(quality) ? 0 : quality }
}

function readParameter(pair: string): readonly [name: string, value: string] {
  const [name = '', ...value] = pair.split('=')
  return [name.trim(), value.join('=').replaceAll('"', '').trim()]
}
