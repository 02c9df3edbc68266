import type { Language } from './translate.ts'

/**
 * The language of a command: from `--lang`, otherwise from the locale of messages, by POSIX's order of variables. Output for
 * programs is English.
 */
export function commandLanguage(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Language {
  if (isForPrograms(args)) return 'en'
  const asked = optionIn(args, '--lang')
  if (asked !== undefined) return asked === 'zh' ? 'zh' : 'en'
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

function isForPrograms(args: readonly string[]): boolean {
  return args.includes('--json') || ['json', 'sarif'].includes(optionIn(args, '--format') ?? '')
}

/** The value of `--name value` or `--name=value`; undefined if the option is absent. */
function optionIn(args: readonly string[], name: string): string | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`))
  return at < 0 ? undefined : args[at]?.slice(`${name}=`.length) || (args[at + 1] ?? '')
}
