/** An app that observes, where the optional peers are not installed. */
import { registerHooks } from 'node:module'

registerHooks({
  resolve(specifier, context, next) {
    if (/^(@nestjs\/terminus|pg)$/.test(specifier)) throw new Error(`${specifier} is not installed`)
    return next(specifier, context)
  },
})
const { NestFactory } = await import('@nestjs/core')
const { Poolguard, PoolguardModule } = await import('@poolguard/nestjs')
const app = await NestFactory.createApplicationContext(PoolguardModule.forRoot(), { logger: false })
const missing = await import('@poolguard/nestjs/terminus').catch(() => 'there is no Terminus')
console.log(`${app.get(Poolguard).health().status}, and ${missing}`)
await app.close()
