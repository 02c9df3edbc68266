import { makeApp } from './app.ts'

const app = await makeApp()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => app.close())
await app.listen({ port: Number(process.env.PORT ?? 3000), host: process.env.HOST ?? 'localhost' })
