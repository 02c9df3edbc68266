import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

export const loopback = '127.0.0.1'

// Below 32768, where Linux's ephemeral range begins: a port from that range may be taken by anyone's outgoing connection.
const lowest = 20_000
const highest = 32_000

/** A port that was free a moment ago. Another process may still be faster: who binds it must be ready to ask again. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(lowest, highest)
    if (await canBind(port)) return port
  }
  throw new Error(`no free port between ${lowest} and ${highest}`)
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, loopback, () => server.close(() => resolve(true)))
  })
}

/** Thrown if a server cannot start because another process has taken its port meanwhile. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
}

/** Runs `start` with a free port, and with another one whenever it throws `PortTakenError`. */
export async function onFreePort<Started>(start: (port: number) => Promise<Started>): Promise<Started> {
  for (let attemptsLeft = 5; ; attemptsLeft--) {
    try {
      return await start(await freePort())
    } catch (error) {
      if (!(error instanceof PortTakenError) || attemptsLeft === 0) throw error
    }
  }
}
