import { expect, test } from 'vitest'
import { acceptsOpenMetrics } from './accepts-open-metrics.ts'

const OPEN = 'application/openmetrics-text'

test.each<[accept: string | undefined, isOpen: boolean]>([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
  [OPEN, true],
  ['Application/OpenMetrics-Text', true],
  [`${OPEN};q=0`, false],
  [`${OPEN};q=0.0,*/*`, false],
  [`${OPEN};q=0.1`, true],
  [`${OPEN};q=0.3,text/plain;q=0.5`, false],
  [`text/plain;q=0.3, ${OPEN}; q=0.5`, true],
  [`text/plain,${OPEN}`, true],
  [`${OPEN};q=0.5,*/*;q=0.9`, false],
  [`${OPEN};q=0.5,text/*;q=0.4,*/*;q=0.9`, true],
  [`${OPEN};version=0.0.1`, false],
  [`${OPEN};version="1.0.0"`, true],
  [`${OPEN};version=1.0.0;q=0`, false],
  [`${OPEN};q=none`, false],
  // Prometheus 2 and 3.
  [`${OPEN};version=1.0.0;q=0.75,${OPEN};version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.25,*/*;q=0.1`, true],
  [
    `${OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,${OPEN};version=0.0.1;q=0.5,` +
      'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    true,
  ],
  ['text/plain;version=0.0.4;q=0.6,*/*;q=0.5', false],
])('given Accept: %s, then OpenMetrics: %s', (accept, isOpen) => {
  expect(acceptsOpenMetrics(accept)).toBe(isOpen)
})
