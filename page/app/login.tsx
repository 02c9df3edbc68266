import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { t } from './language.ts'
import { signIn } from './server.ts'

/** Asks for the admin token. The form has no name for it, so that it can never become part of an address. */
export function Login(props: { readonly onSignedIn: () => void; readonly onSwitchLanguage: () => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const [problem, setProblem] = useState('')
  const submit = async (event: Event) => {
    event.preventDefault()
    const field = input.current
    if (!field) return
    const status = await signIn(field.value)
    if (status === 204) return props.onSignedIn()
    setProblem(problemOf(status))
    field.select()
  }
  return (
    <main class="login">
      <h1>poolguard</h1>
      <form method="post" onSubmit={submit}>
        <label for="token">{t('Admin token')}</label>
        <input
          id="token"
          ref={input}
          type="password"
          autocomplete="current-password"
          required
          aria-describedby="problem"
        />
        <p id="problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary">
          {t('Log in')}
        </button>
      </form>
      <button type="button" class="plain" onClick={props.onSwitchLanguage}>
        {t('中文')}
      </button>
    </main>
  )
}

function problemOf(status: number): string {
  if (status === 401) return t('This is not the admin token.')
  if (status === 0) return t('The server does not answer.')
  return t('The server answered {0}.', status)
}
