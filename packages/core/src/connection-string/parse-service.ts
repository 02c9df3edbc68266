import { InvalidOptionError } from '../invalid-option-error.ts'
import type { UrlParameter } from './connection-string-parts.ts'
import { trimBlanks } from './decode.ts'

/**
 * Reads the parameters of a service from the text of a service file, whose lines are `[service]`, `name=value` and `# comment`. As in
 * libpq, the first section of that name counts, and the first of two lines with the same name.
 *
 * @param file the name of the file, for messages.
 * @returns undefined if the file does not define the service.
 * @throws {InvalidOptionError} if a line of the service is invalid. The message never shows the line.
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export function parseService(text: string, service: string, file: string): readonly UrlParameter[] | undefined {
  const lines = text.split('\n').map(trimBlanks)
  const start = lines.findIndex((line) => line.startsWith(`[${service}]`))
  if (start < 0) return undefined
  const parameters = new Map<string, string>()
  for (const [index, line] of lines.entries()) {
    if (index <= start || line === '' || line.startsWith('#')) continue
    if (line.startsWith('[')) break
    const [name, value] = parseLine(line, service, `line ${index + 1} of ${file}`)
    if (!parameters.has(name)) parameters.set(name, value)
  }
  return [...parameters]
}

function parseLine(line: string, service: string, place: string): UrlParameter {
  const equals = line.indexOf('=')
  const name = line.slice(0, Math.max(0, equals))
  if (name.startsWith('ldap'))
    throw invalid(service, `which poolguard cannot ask for an LDAP server, but ${place} names one`)
  if (!/^\w+$/.test(name)) {
    throw invalid(service, `whose lines are name=value, without blanks around the equals sign, but ${place} is not`)
  }
  if (name !== 'service' && name !== 'servicefile') return [name, line.slice(equals + 1)]
  throw invalid(service, `that names no other service, but ${place} does`)
}

function invalid(service: string, wanted: string): InvalidOptionError {
  return new InvalidOptionError('service', service, `a service ${wanted}`)
}
