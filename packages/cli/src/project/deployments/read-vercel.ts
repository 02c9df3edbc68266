import { t } from '../../output/translate.ts'
import { classifyContainers } from './classify-containers.ts'
import { assumed, type Deployment } from './container.ts'
import { directoryOf, platformProgram } from './container-defaults.ts'
import type { FileValue } from './file-value.ts'

/** Vercel has no setting for it: https://vercel.com/docs/functions/concurrency-scaling */
const FUNCTION_INSTANCES = 10

/** Reads a `vercel.json`: https://vercel.com/docs/project-configuration */
export function readVercel(file: FileValue): Deployment {
  const app = directoryOf(file.place)
  const suffix = app === '' ? '' : ` ${app}`
  const functions = assumed(FUNCTION_INSTANCES, 'instances of functions')
  const one = assumed(1, 'one preview deployment')
  const place = { file: file.place.file, line: 1 }
  const isPreviewing = file.at('git', 'deploymentEnabled').text !== 'false'
  const programs = [
    platformProgram({ name: `functions${suffix}`, place, app, instances: { usual: functions, most: functions } }),
    ...(isPreviewing
      ? [
          platformProgram({
            name: `preview${suffix}`,
            kind: 'preview',
            place,
            app,
            instances: { usual: one, most: one },
          }),
        ]
      : []),
  ]
  return {
    name: file.place.file,
    ...classifyContainers(programs),
    assumed: [
      t`Assumed ${FUNCTION_INSTANCES} instances of Vercel functions at a time; pass --instances 'functions${suffix}=<number>'.`,
      ...(isPreviewing ? [t`Assumed 1 preview deployment at a time; pass --previews <number> for more.`] : []),
    ],
  }
}
