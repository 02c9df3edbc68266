import { describe, expect, test } from 'vitest'
import { parseService } from './parse-service.ts'

describe('parseService', () => {
  test.each<[title: string, text: string, found: Record<string, string> | undefined, service?: string]>([
    ['reads the lines of the section', '[a]\nhost=1\n[b]\nhost=2\nport=3\n[c]\nhost=4', { host: '2', port: '3' }],
    ['finds nothing in a file without the section', '[a]\nhost=1', undefined],
    ['finds an empty section', '[b]', {}],
    ['uses the first of two sections', '[b]\nhost=1\n[b]\nhost=2', { host: '1' }],
    ['uses the first of two lines', '[b]\nhost=1\nhost=2', { host: '1' }],
    ['ignores blanks around a line, comments and empty lines', '\t[b] \r\n # x\n\n  host=db\t\r\n', { host: 'db' }],
    ['keeps blanks and quotes of a value', '[b]\npassword= it\'s = "1"', { password: ' it\'s = "1"' }],
    ['keeps an empty value', '[b]\nhost=\nhost=db', { host: '' }],
    ['ignores text after the bracket', '[b] # mine\nhost=db', { host: 'db' }],
    ['compares the whole name', '[bb]\nhost=1\n[B]\nhost=2', undefined],
    ['reads a bracket in a name', '[a]b]\nhost=db', { host: 'db' }, 'a]b'],
    ['does not read lines of other services', 'nonsense\n[a]\nnonsense\n[b]\nhost=db\n[c]\nservice=b', { host: 'db' }],
  ])('%s', (_title, text, found, service = 'b') => {
    const parameters = parseService(text, service, 'the file')

    expect(parameters && Object.fromEntries(parameters)).toEqual(found)
  })

  test.each([
    ['host', 'whose lines are name=value, without blanks around the equals sign, but line 3 of the file is not'],
    ['host = db', 'but line 3 of the file is not'],
    ['=db', 'but line 3 of the file is not'],
    ['service=a', 'that names no other service, but line 3 of the file does'],
    ['servicefile=/x', 'that names no other service'],
    ['ldap://directory/dc=x', 'which poolguard cannot ask for an LDAP server, but line 3 of the file names one'],
  ])('rejects the line %j', (line, message) => {
    expect(() => parseService(`[b]\nport=1\n${line}`, 'b', 'the file')).toThrow(message)
  })
})
