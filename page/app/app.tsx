import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { chooseLanguage, language, t } from './language.ts'
import { Login } from './login.tsx'
import { Overview } from './overview.tsx'
import { isSignedIn } from './server.ts'

/** The login form, or the page for callers that are logged in. */
export function App(): JSX.Element | null {
  const [signedIn, setSignedIn] = useState<boolean>()
  const [shownLanguage, setLanguage] = useState(language())
  useEffect(() => {
    void isSignedIn().then(setSignedIn)
  }, [])
  useEffect(() => {
    document.documentElement.lang = shownLanguage
    document.title = 'poolguard'
  }, [shownLanguage])
  const switchLanguage = () => setLanguage(chooseLanguage(shownLanguage === 'en' ? 'zh-CN' : 'en'))
  if (signedIn === undefined) return <p class="loading">{t('Loading')}</p>
  if (!signedIn) return <Login onSignedIn={() => setSignedIn(true)} onSwitchLanguage={switchLanguage} />
  return <Overview onSignedOut={() => setSignedIn(false)} onSwitchLanguage={switchLanguage} />
}
