import { language, t } from './language.ts'

/** A duration in the unit that a person would choose: `3 ms`, `1.2 s`, `4 min`. */
export function duration(millis: number): string {
  if (millis < 1) return '0 ms'
  if (millis < 995) return `${Math.round(millis)} ms`
  const seconds = millis / 1_000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  if (seconds < 100) return `${Math.round(seconds)} s`
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function count(value: number): string {
  return value.toLocaleString(language())
}

/** The time of day in the browser's time zone. */
export function timeOfDay(millis: number): string {
  return new Date(millis).toLocaleTimeString(language(), { hour12: false })
}

/** The name of the caller: its route or job. */
export function caller(label: string | null): string {
  return label ?? t('without a label')
}
