/** Creates a key and prints it. The proxy can be running: SQLite allows several processes. */
import { addKey, closeQuotas, prepareQuotas } from './quota.ts'

const [name = '', perDay = ''] = process.argv.slice(2)
if (name === '' || !/^[1-9]\d{0,8}$/.test(perDay)) {
  console.error('usage: add-key NAME REQUESTS-PER-DAY')
  process.exit(2)
}
await prepareQuotas()
console.log(await addKey(name, Number(perDay)))
await closeQuotas()
