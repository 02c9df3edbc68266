/** Node's error for a connection that TCP has given up, with an explanation. */
export function readTimedOut(explanation: string): Error {
  return Object.assign(new Error(`read ETIMEDOUT: ${explanation}`), { code: 'ETIMEDOUT', syscall: 'read' })
}
