import { createTwoFilesPatch } from 'diff'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import { describeCommand, type PackageCommand } from './package-manager.ts'
import type { InitPlan, PlannedFile } from './plan-init.ts'

const ADAPTED = ['@prisma/client', 'drizzle-orm', 'typeorm', 'pg', 'postgres', '@nestjs/core', 'fastify']

/** What `init` found, the diff, the packages, and what a person has to do. */
export function describePlan(plan: InitPlan, commands: readonly PackageCommand[]): string {
  return [
    ...describeApps(plan),
    ...plan.files.map((file) => paintPatch(patchOf(file))),
    ...(commands.length > 0 ? [t`Packages:`, ...commands.map((each) => `  ${describeCommand(each)}`), ''] : []),
    ...describeInstructions(plan),
    ...(plan.unread.length > 0 ? [t`Skipped: ${plan.unread.join(', ')}.`] : []),
  ].join('\n')
}

function describeApps({ apps }: InitPlan): string[] {
  const lines = apps.flatMap(({ folder, packages }) => {
    const known = ADAPTED.filter((name) => packages.has(name)).map((name) => `${name} ${packages.get(name)}`)
    return known.length > 0 ? [`${folder === '' ? '.' : folder}: ${known.join(', ')}`] : []
  })
  return lines.length > 0 ? [t`Found:`, ...lines.map((line) => `  ${line}`), ''] : []
}

function describeInstructions({ instructions }: InitPlan): string[] {
  if (instructions.length === 0) return []
  return [t`To do by hand:`, ...instructions.map(({ file, line, text }) => `  ${file}:${line}: ${text}`), '']
}

export function patchOf({ file, before, after }: PlannedFile): string {
  return createTwoFilesPatch(file, file, before, after, undefined, undefined, { context: 2 })
    .split('\n')
    .filter((line) => !/^(={10,}$|Index: )/.test(line))
    .join('\n')
}

function paintPatch(patch: string): string {
  return patch
    .split('\n')
    .map((line) => {
      if (line.startsWith('+')) return paint('green', line)
      return line.startsWith('-') ? paint('red', line) : line
    })
    .join('\n')
}
