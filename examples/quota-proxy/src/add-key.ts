/** Makes a key and tells it, beside a proxy that runs or before: SQLite takes both. */
import { addKey, closeQuotas, prepareQuotas } from './quota.ts'

const [name = '', perDay = ''] = process.argv.slice(2)
if (name === '' || !/^[1-9]\d{0,8}$/.test(perDay)) {
  console.error('usage: add-key NAME REQUESTS-PER-DAY')
  process.exit(2)
}
await prepareQuotas()
console.log(await addKey(name, Number(perDay)))
await closeQuotas()
