/** How the pool handles a statement that depends on a session which the pooler does not keep. */
export type SessionStateMode = 'warn' | 'throw' | 'off'
