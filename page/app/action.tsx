import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { PageAction } from '../src/index.ts'
import { t } from './language.ts'
import { act } from './server.ts'

/** A button that asks before it does something. */
export function Action(props: {
  readonly name: string
  readonly question: string
  readonly action: () => PageAction
  /** What the user fills in before the confirmation. */
  readonly children?: ComponentChildren
}): JSX.Element {
  const [isAsking, setAsking] = useState(false)
  const [problem, setProblem] = useState<string>()
  const confirm = useRef<HTMLButtonElement>(null)
  const open = useRef<HTMLButtonElement>(null)
  const wasAsking = useRef(false)
  useEffect(() => {
    if (isAsking) confirm.current?.focus()
    else if (wasAsking.current) open.current?.focus()
    wasAsking.current = isAsking
  }, [isAsking])
  const run = async (event: Event) => {
    event.preventDefault()
    const failure = await act(props.action())
    setProblem(failure)
    if (failure === undefined) setAsking(false)
  }
  const leave = () => {
    setProblem(undefined)
    setAsking(false)
  }
  if (!isAsking) {
    return (
      <button ref={open} type="button" class="plain action" onClick={() => setAsking(true)}>
        {props.name}
      </button>
    )
  }
  return (
    <form
      class="action"
      aria-label={props.name}
      onSubmit={run}
      onKeyDown={(event) => {
        if (event.key === 'Escape') leave()
      }}
    >
      <p>{props.question}</p>
      {props.children}
      <button ref={confirm} type="submit" class="primary">
        {props.name}
      </button>
      <button type="button" class="plain" onClick={leave}>
        {t('Cancel')}
      </button>
      {problem !== undefined && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  )
}
