import { describe, expect, test } from 'vitest'
import { addService } from './add-service.ts'
import { parseConnectionString } from './parse.ts'

describe('addService', () => {
  test.each<[given: string, service: Record<string, string>, found: string, except?: string[]]>([
    ['postgresql:///', { host: 'db', port: '5433', user: 'app', dbname: 'o' }, 'postgresql://app@db:5433/o'],
    ['postgresql://app:secret@db:1/o', { host: 'x', port: '2', user: 'y', password: 'z', dbname: 'z' }, 'same'],
    ['postgresql://db/o', { port: '5433' }, 'postgresql://db:5433/o'],
    ['postgresql://a,b/o', { port: '1,2' }, 'postgresql://a:1,b:2/o'],
    ['postgresql:///o', { host: 'a,b', port: '5433' }, 'postgresql://a:5433,b:5433/o'],
    ['postgresql:///o?sslmode=disable', { sslmode: 'require', host: 'db' }, 'postgresql://db/o?sslmode=disable'],
    ['postgresql://db/o', { sslmode: 'require' }, 'postgresql://db/o?sslmode=require'],
    ['host=db', { user: 'app', hostaddr: '10.0.0.1' }, 'postgresql://app@db/?hostaddr=10.0.0.1'],
    ['postgresql:///o', { hostaddr: '10.0.0.1', port: '2' }, 'postgresql://10.0.0.1:2/o?hostaddr=10.0.0.1'],
    ['postgresql:///o', { host: 'db', user: 'app' }, 'postgresql://app@/o', ['host']],
    ['postgresql:///o?user=', { user: 'app' }, 'postgresql://app@/o'],
  ])('%s with %j', (given, service, found, except) => {
    const connection = parseConnectionString(given)

    expect(addService(connection, Object.entries(service), except).href).toBe(found === 'same' ? given : found)
  })

  test('rejects a number of ports that does not fit the hosts', () => {
    expect(() => addService(parseConnectionString('postgresql://db/o'), [['port', '1,2']])).toThrow(
      'there are 1 hosts and 2 ports',
    )
  })
})
