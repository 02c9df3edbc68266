import { expect, test } from 'vitest'
import { isSameOrigin } from './same-origin.ts'

test.each<[headers: Record<string, string>, isSame: boolean]>([
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'same-origin', origin: 'https://public.example' }, true],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site', origin: 'http://app:3000' }, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ origin: 'http://app:3000' }, true],
  [{ origin: 'https://app:3000' }, true],
  [{ origin: 'http://app:3001' }, false],
  [{ origin: 'http://app.evil.example:3000' }, false],
  [{ origin: 'null' }, false],
  [{ origin: 'nonsense' }, false],
  [{ origin: 'http://inner:80', host: 'inner' }, true],
  [{}, false],
])('given the headers %o, then the request is of the same origin: %s', (headers, isSame) => {
  expect(isSameOrigin(new Request('http://app:3000/admin/poolguard', { headers }))).toBe(isSame)
})
