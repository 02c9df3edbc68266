import type { Language } from './translate.ts'

/** The language of a command: from `--lang`, otherwise from the locale of messages, by POSIX's order of variables. */
export function commandLanguage(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Language {
  const at = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='))
  const asked = args[at]?.slice('--lang='.length) || args[at + 1]
  if (at >= 0) return asked === 'zh' ? 'zh' : 'en'
  const locale = env.LC_ALL || env.LC_MESSAGES || env.LANG || ''
  return locale.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}
