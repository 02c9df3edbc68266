import { setTimeout as pause } from 'node:timers/promises'
import type { Fault, Scene } from '../fault.ts'

/** How long it takes until the standby is promoted. */
const OUTAGE_MILLIS = 1_000

/** The address of the app, as of a name or a service, leads to the new primary afterwards. */
export const failoverFaults: readonly Fault[] = [
  {
    id: 'failover-killed',
    title: 'Failover: the primary is killed, and its address leads to the promoted standby',
    takenOverByStandby: true,
    async inject(scene) {
      await scene.server.kill('SIGKILL')
      await promote(scene)
    },
  },
  {
    id: 'failover-silent',
    title: 'Failover: the primary vanishes without a word, and its address leads to the promoted standby',
    takenOverByStandby: true,
    async inject(scene) {
      scene.proxy.forget()
      scene.proxy.blackhole()
      await promote(scene)
      await scene.proxy.heal()
    },
  },
]

async function promote({ proxy, standby }: Scene): Promise<void> {
  if (!standby) throw new Error('the fault needs a standby')
  await pause(OUTAGE_MILLIS)
  await standby.query('select pg_promote()')
  proxy.leadTo(standby)
}
