import { makeApp } from './app.ts'
import { startEcho } from './echo.ts'
import { prepareQuotas } from './quota.ts'

await prepareQuotas()
const app = await makeApp(process.env.UPSTREAM_URL ?? (await startEcho()))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => app.close())
await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? 'localhost' })
