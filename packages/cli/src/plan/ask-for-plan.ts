import { cancel, group, intro, text } from '@clack/prompts'
import type { Surge } from '@poolguard/core/postgres'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'

export interface PlanAnswers {
  readonly instances: number
  readonly maxSurge: Surge
  readonly processes: number
}

/** Asks for missing numbers on the terminal. */
export async function askForPlan(given: {
  readonly maxSurge?: Surge
  readonly processes?: number
}): Promise<PlanAnswers> {
  intro(t`Which processes share the database?`)
  const answers = await group(
    {
      instances: () => text({ message: t`How many instances of the app?`, placeholder: '6', validate: whole }),
      maxSurge: () =>
        given.maxSurge === undefined
          ? text({
              message: t`How many extra instances run during a deploy (maxSurge)? A number, or a share.`,
              initialValue: '25%',
              validate: (value = '') =>
                /^\d+%?$/.test(value) ? undefined : t`Enter a number such as 1, or a share such as 25%.`,
            })
          : Promise.resolve(String(given.maxSurge)),
      processes: () =>
        given.processes === undefined
          ? text({ message: t`How many processes does each instance run?`, initialValue: '1', validate: whole })
          : Promise.resolve(String(given.processes)),
    },
    {
      onCancel: () => {
        cancel(t`Cancelled.`)
        throw new CannotRunError(t`Cancelled.`)
      },
    },
  )
  const surge = String(answers.maxSurge)
  return {
    instances: Number(answers.instances),
    maxSurge: surge.endsWith('%') ? (surge as Surge) : Number(surge),
    processes: Number(answers.processes),
  }
}

function whole(value = ''): string | undefined {
  return /^[1-9]\d*$/.test(value) ? undefined : t`Enter a whole number of at least 1.`
}
