import { t } from '../../output/translate.ts'
import type { Container, Word } from '../../project/deployments/container.ts'
import type { Facts } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const commentsInCommand: Rule = {
  id: 'comments-in-command',
  title: 'A comment in a command becomes arguments of the program',
  severity: 'critical',
  check: (facts) =>
    commandsOf(facts).flatMap(({ name, words, place }) => {
      const comment = words.findIndex(({ text }) => /^#/.test(text))
      if (comment < 0 || isShell(words)) return []
      const shown = words.slice(comment, comment + 4).map(({ text }) => text)
      return [
        {
          evidence: t`The command of ${name} contains \`${shown.join(' ')}\`.`,
          why: t`In a block of YAML (command: >), # does not begin a comment: the program gets it as an argument, and PostgreSQL does not start, or ignores the settings behind it.`,
          change: t`Move the comment out of the block, or write the command as a list, one argument in each line.`,
          data: { service: name, words: shown },
          place: words[comment]?.place ?? place,
        },
      ]
    }),
}

/** A shell reads the comment itself. */
function isShell(words: readonly Word[]): boolean {
  return words.slice(0, 3).some(({ text }) => /(^|\/)(ba|da|a)?sh$/.test(text))
}

type Command = Pick<Container, 'name' | 'words' | 'place'>

function commandsOf({ project }: Facts): readonly Command[] {
  const all = project.deployments.deployments.flatMap(({ commands }) => commands)
  return [...new Map(all.map((each) => [`${each.name} ${each.place.file} ${each.place.line}`, each])).values()]
}
