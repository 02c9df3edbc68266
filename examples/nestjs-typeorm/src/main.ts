import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app-module.ts'

const app = await NestFactory.create(AppModule)
// TypeORM's DataSource is destroyed, and with it the pool drained, once the last request is answered.
app.enableShutdownHooks()
await app.listen(Number(process.env.PORT ?? 3000))
