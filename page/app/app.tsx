import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { chooseLanguage, language, t } from './language.ts'
import { Login } from './login.tsx'
import { Overview } from './overview.tsx'
import { isSignedIn, signIn } from './server.ts'

/** The login form, or the page for callers that are logged in. */
export function App(): JSX.Element | null {
  const [signedIn, setSignedIn] = useState<boolean>()
  const [shownLanguage, setLanguage] = useState(language())
  useEffect(() => {
    void signInByAddress()
      .then((signedInNow) => signedInNow || isSignedIn())
      .then(setSignedIn)
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

const TOKEN_IN_ADDRESS = '#token='

/**
 * `poolguard ui` prints an address with its token in the fragment, which a browser sends to no server. The token leaves the address, and
 * so the browser's history, before anything else happens.
 */
async function signInByAddress(): Promise<boolean> {
  const { hash, pathname, search } = location
  if (!hash.startsWith(TOKEN_IN_ADDRESS)) return false
  history.replaceState(null, '', `${pathname}${search}`)
  return (await signIn(hash.slice(TOKEN_IN_ADDRESS.length))) === 204
}
