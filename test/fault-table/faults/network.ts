import { setTimeout as pause } from 'node:timers/promises'
import type { Fault, Scene } from '../fault.ts'
import { whilePaused } from './actions.ts'

export const networkFaults: readonly Fault[] = [
  { id: 'reset', title: 'All connections are reset under load', inject: async ({ proxy }) => proxy.reset() },
  { id: 'cut-50', title: 'Each connection is cut after 50 bytes, for a second', inject: ({ proxy }) => cut(proxy, 50) },
  {
    id: 'cut-1000',
    title: 'Each connection is cut after 1,000 bytes, for a second',
    inject: ({ proxy }) => cut(proxy, 1_000),
  },
  {
    id: 'refused',
    title: 'New connections are refused for two seconds, the others are reset',
    async inject({ proxy }) {
      proxy.refuse()
      proxy.reset()
      await pause(2_000)
      await proxy.heal()
    },
  },
  {
    id: 'blackhole',
    title: 'Nothing arrives for three seconds; then what was open is reset',
    async inject({ proxy }) {
      proxy.blackhole()
      await pause(3_000)
      proxy.reset()
      await proxy.heal()
    },
  },
  {
    id: 'half-open',
    title: 'A firewall forgets the idle connections: what is sent on them vanishes, new ones work',
    inject: ({ app, proxy }) =>
      whilePaused({ app }, async () => {
        await pause(300)
        proxy.forget()
      }),
  },
  {
    id: 'half-open-under-load',
    title: 'A firewall forgets the connections under load',
    async inject({ proxy }) {
      proxy.forget()
      // Answers that were on their way are read.
      await pause(300)
    },
  },
  {
    id: 'latency',
    title: 'Each round trip takes 400 ms more, for three seconds',
    async inject({ proxy }) {
      proxy.setLatency(200)
      await pause(3_000)
      await proxy.heal()
    },
  },
  {
    id: 'slow-connect',
    title: 'Connecting takes seconds, and what was open is reset',
    async inject({ proxy }) {
      proxy.setLatency(500)
      proxy.reset()
      await pause(4_000)
      await proxy.heal()
    },
  },
]

async function cut(proxy: Scene['proxy'], bytes: number): Promise<void> {
  proxy.cutAfter(bytes)
  await pause(1_000)
  await proxy.heal()
}
