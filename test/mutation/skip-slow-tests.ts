import { beforeEach } from 'vitest'

/** Tests of a second or more, most of them with random inputs. They reach so much code that nearly every mutant would run them. */
const SLOW = [
  'a hundred thousand',
  'findings of the beginning are findings',
  'blanks, comments and the case of words',
  'a plain query has no findings',
  'is not a text that never repeats',
  'keeps every max and every reserve',
  'starves no lane',
  'serves callers strictly in the order',
  'three times the load',
  'never exceeds max',
  'serves every caller eventually',
  'that claims any number',
  'that claim any number',
  'publish new figures all the time',
  'then the instances finally get the connections',
  'none is doubted',
  'is the same in all instances',
  'falls to one connection for each instance',
  'ten join at the same time behind PgBouncer',
  'then each has its share, and the server is never full',
  'given instances join, leave, crash',
  'is suspended before it has opened its connections',
]

beforeEach(({ task, skip }) => {
  skip(SLOW.some((part) => task.name.includes(part)))
})
