import { type FleetNotice, PAIRS, periodOf } from '../adaptive/index.ts'
import { NOTICE_LENGTH } from './member-name.ts'

/** Of a notice without a result: one digit for the period, and two for each total. */
const PLAN_LENGTH = 5
const PERIODS = 36
/** The largest total of two digits. */
export const MAX_TOTAL: number = 36 ** 2 - 1
/** The gain in steps of half a percent, from -3.2 to 3.2. */
const GAIN_STEP = 0.005
const MAX_STEPS = 647
/** The weight in powers of the root of 2. */
const MAX_WEIGHT_POWER = 35

/** What fits into an `application_name`. Empty without a plan. A result counts only in the period of its plan. */
export function encodeNotice({ plan, result }: FleetNotice): string {
  if (!plan) return ''
  const announced = digits(plan.period % PERIODS, 1) + digits(plan.base, 2) + digits(plan.candidate, 2)
  if (result?.period !== plan.period) return announced
  const steps = Math.max(-MAX_STEPS, Math.min(MAX_STEPS, Math.round(result.gain / GAIN_STEP)))
  const power = Math.min(MAX_WEIGHT_POWER, Math.round(2 * Math.log2(Math.max(1, result.weight))))
  return announced + digits(steps + MAX_STEPS, 2) + digits(power, 1)
}

/** @param text of another instance, whose clock may be in the next period. */
export function decodeNotice(text: string, now: number): FleetNotice {
  if (text.length !== PLAN_LENGTH && text.length !== NOTICE_LENGTH) return { plan: undefined, result: undefined }
  const number = (from: number, to: number) => Number.parseInt(text.slice(from, to), 36)
  const next = periodOf(now) + 1
  const period = next - ((((next - number(0, 1)) % PERIODS) + PERIODS) % PERIODS)
  const plan = { period, base: Math.max(1, number(1, 3)), candidate: Math.max(1, number(3, 5)) }
  if (text.length === PLAN_LENGTH) return { plan, result: undefined }
  const gain = (number(5, 7) - MAX_STEPS) * GAIN_STEP
  return { plan, result: { period, gain, pairs: PAIRS, weight: 2 ** (number(7, 8) / 2) } }
}

function digits(value: number, length: number): string {
  return Math.min(value, 36 ** length - 1)
    .toString(36)
    .padStart(length, '0')
}
