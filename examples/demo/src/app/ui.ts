/** `poolguard ui` in a process that ends with the demo. */
import { endWithDemo } from './end-with-demo.ts'

endWithDemo()
await import(new URL('src/main.ts', import.meta.resolve('poolguard/package.json')).href)
