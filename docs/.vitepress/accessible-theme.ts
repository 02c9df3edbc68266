import path from 'node:path'

/** Changes of the theme's components: their file, the text of the source, and its replacement. */
const CHANGES: readonly (readonly [file: string, from: string, to: string])[] = [
  // The heading of a group is a button that contains another one, the caret. The caret alone folds the group as well, and so does a click on the heading.
  ['VPSidebarItem.vue', ':role="itemRole"', ''],
  ['VPSidebarItem.vue', ':tabindex="item.items && 0"', ''],
  // People who speak to their browser name a button by its text, which ends with the key. Without the space, the text is one word.
  ['VPNavBarSearchButton.vue', "translate('button.buttonAriaLabel')", "translate('button.buttonText') + ' K'"],
  ['VPNavBarSearchButton.vue', '<span class="DocSearch-Button-Keys">', `{{ ' ' }}<span class="DocSearch-Button-Keys">`],
]

interface ThemePlugin {
  readonly name: string
  readonly enforce: 'pre'
  transform(source: string, id: string): string | undefined
}

/** Makes the theme work with screen readers and voice control where it has no option for that. */
export const accessibleTheme: ThemePlugin = {
  name: 'accessible-theme',
  enforce: 'pre',
  transform(source, id) {
    const changes = CHANGES.filter(([file]) => file === path.basename(id))
    if (changes.length === 0) return undefined
    return changes.reduce((changed, [file, from, to]) => {
      if (!changed.includes(from)) throw new Error(`${file} of VitePress's theme no longer contains ${from}`)
      return changed.replace(from, () => to)
    }, source)
  },
}
