import 'reflect-metadata'
import { NestFactory } from '@nestjs/core'
import { AppModule } from './app-module.ts'

const app = await NestFactory.create(AppModule)
// After the last request, Nest destroys TypeORM's DataSource, which drains the pool.
app.enableShutdownHooks()
await app.listen(Number(process.env.PORT ?? 3000))
