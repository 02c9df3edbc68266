import type { Key } from 'node:readline'
import type { KeyEvent, KeyName } from './state.ts'

const NAMED: Readonly<Record<string, KeyName>> = {
  up: 'up',
  down: 'down',
  left: 'left',
  right: 'right',
  pageup: 'page up',
  pagedown: 'page down',
  home: 'home',
  end: 'end',
  return: 'enter',
  enter: 'enter',
  escape: 'escape',
  backspace: 'backspace',
  tab: 'tab',
}
const WITH_CONTROL: Readonly<Record<string, KeyName>> = { c: 'ctrl c', l: 'ctrl l', z: 'ctrl z' }

/** The event of a key that Node's readline has decoded. Undefined for a key without a meaning here. */
export function readKey(text: string | undefined, { name = '', ctrl, meta, shift }: Key): KeyEvent | undefined {
  if (ctrl) return named(WITH_CONTROL[name])
  if (name === 'tab' && shift) return named('shift tab')
  const key = NAMED[name]
  // Alt with a key, and an Escape that another key follows at once, have the same bytes.
  if (key || meta) return named(key)
  return text !== undefined && /^\P{C}+$/u.test(text) ? { type: 'text', text } : undefined
}

function named(key: KeyName | undefined): KeyEvent | undefined {
  return key && { type: 'key', key }
}
