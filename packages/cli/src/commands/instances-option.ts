import { InvalidArgumentError, Option } from 'commander'
import { t } from '../output/translate.ts'
import { wholeFrom } from '../read-number.ts'

/** `--instances 6`, or `--instances api=6 --instances worker=2`. */
export interface InstancesOption {
  readonly all?: number
  readonly named: ReadonlyMap<string, number>
}

const atLeastOne = wholeFrom(1)
const atLeastNone = wholeFrom(0)

/** `--instances`, for commands that read deployment files. */
export function instancesOption(): Option {
  return new Option(
    '--instances <number|name=number>',
    'instances of the app in place of the deployment files, or of one workload (repeatable)',
  ).argParser(readInstances)
}

/** Parses one `--instances`, and adds it to those before. */
export function readInstances(written: string, before: InstancesOption = { named: new Map() }): InstancesOption {
  const equals = written.lastIndexOf('=')
  if (equals < 0) return { ...before, all: atLeastOne(written) }
  const name = written.slice(0, equals)
  if (name === '') throw new InvalidArgumentError(t`Write a workload and a number: api=6.`)
  return { ...before, named: new Map([...before.named, [name, atLeastNone(written.slice(equals + 1))]]) }
}
