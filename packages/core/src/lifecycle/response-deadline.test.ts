import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { DeadlineExceededError } from '../pool/index.ts'
import { requireRouteDeadline, responseDeadline } from './response-deadline.ts'

function givenResponse() {
  return Object.assign(new EventEmitter(), { writableFinished: false })
}

test('work for a client that disconnects before its response is aborted', () => {
  const response = givenResponse()
  const { signal } = responseDeadline(response)
  response.emit('close')

  expect(signal.reason).toMatchObject({ name: 'AbortError', message: expect.stringContaining('client disconnected') })
})

test('work that goes on after the response is not aborted', async () => {
  const response = givenResponse()
  const { signal } = responseDeadline(response, 5)
  response.writableFinished = true
  response.emit('close')
  await new Promise((resolve) => setTimeout(resolve, 20))

  expect(signal.aborted).toBe(false)
})

test('work is aborted when its time has passed', async () => {
  const { signal } = responseDeadline(givenResponse(), 1)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))

  expect(signal.reason).toBeInstanceOf(DeadlineExceededError)
})

test.for([-1, '5s', true, null])('a deadline of %o is rejected', (value) => {
  expect(() => requireRouteDeadline('deadline', value)).toThrow(expect.objectContaining({ option: 'deadline' }))
})
