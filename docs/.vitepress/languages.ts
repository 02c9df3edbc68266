import { useData } from 'vitepress'
import { type ComputedRef, computed } from 'vue'

interface Languages {
  readonly localeLinks: ComputedRef<readonly { readonly text: string; readonly link: string }[]>
  readonly currentLang: ComputedRef<{ readonly label: string | undefined; readonly link: string }>
}

/** In place of the theme's function of this name: the link to the other language leads to a page that exists (`otherLanguage` in pages.ts). */
export function useLangs(): Languages {
  const { site, localeIndex, frontmatter } = useData()
  const currentLang = computed(() => ({
    label: site.value.locales[localeIndex.value]?.label,
    link: homeOf(localeIndex.value),
  }))
  const localeLinks = computed(() => {
    const { otherLanguage } = frontmatter.value
    return Object.entries(site.value.locales)
      .filter(([locale]) => locale !== localeIndex.value)
      .map(([locale, { label }]) => ({ text: label, link: otherLanguage ?? homeOf(locale) }))
  })
  return { localeLinks, currentLang }
}

function homeOf(locale: string): string {
  return locale === 'root' ? '/' : `/${locale}/`
}
