import { HealthMonitor, installShutdown, isPoolTimeout, renderMetrics } from '@poolguard/core'
import express, { type ErrorRequestHandler } from 'express'
import { addReadings, averages, isReadings } from './readings.ts'

const app = express()
const health = new HealthMonitor()

app.get('/healthz', (_request, response) => {
  response.json({ status: 'alive' })
})

app.get('/readyz', (_request, response) => {
  const { status } = health.check()
  response.status(status === 'critical' ? 503 : 200).json({ status })
})

app.get('/metrics', (request, response) => {
  const { contentType, body } = renderMetrics(request.headers.accept)
  response.set('content-type', contentType).send(body)
})

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

const answerErrors: ErrorRequestHandler = (error, _request, response, _next) => {
  if (typeof error?.status === 'number') {
    // An error of Express, such as a body that is not JSON.
    response.status(error.status).json({ error: error.message })
    return
  }
  console.error(error)
  // No connection was available in time: clients can retry.
  if (isPoolTimeout(error)) response.status(503).set('retry-after', '1').json({ error: 'busy' })
  else response.status(500).json({ error: 'failed' })
}
app.use(answerErrors)

const port = Number(process.env.PORT ?? 3000)
const server = app.listen(port, () => console.log(`http://localhost:${port}`))

// Finish the requests in flight, then close the pools.
installShutdown({ before: () => new Promise<void>((resolve) => server.close(() => resolve())) })
