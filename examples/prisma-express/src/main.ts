import { installShutdown } from '@poolguard/core'
import { poolguardWeb } from '@poolguard/web'
import express, { type ErrorRequestHandler } from 'express'
import { addReadings, averages, isReadings } from './readings.ts'

const poolguard = poolguardWeb({ metrics: true, shedLoad: true })
const app = express()
app.use(poolguard.express())

app.post('/readings', express.json({ limit: '10mb' }), async (request, response) => {
  if (!isReadings(request.body)) {
    response.status(400).json({ error: 'a list of { sensor, value } is expected' })
    return
  }
  response.status(201).json({ written: await addReadings(request.body) })
})

app.get('/averages', async (_request, response) => {
  response.json(await averages())
})

// After the routes: 503 with Retry-After if no connection was available in time.
app.use(poolguard.expressErrors())

const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
  const { status = 500, headers = {}, expose = false } = error
  if (status >= 500) console.error(error)
  response
    .status(status)
    .set(headers)
    .json({ error: expose ? error.message : 'failed' })
}
app.use(answerErrors)

const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, () => console.log(`http://localhost:${port}`))

// Finish the requests in flight, then close the pools.
installShutdown({
  before: async () => {
    await poolguard.drain()
    await server[Symbol.asyncDispose]()
  },
})
