import { Module } from '@nestjs/common'
import { TerminusModule } from '@nestjs/terminus'
import { TypeOrmModule } from '@nestjs/typeorm'
import { PoolguardModule } from '@poolguard/nestjs'
import { PoolguardHealthIndicator } from '@poolguard/nestjs/terminus'
import { guardDataSource } from '@poolguard/typeorm'
import { HealthController } from './health-controller.ts'
import { Task } from './task.ts'
import { TasksController } from './tasks-controller.ts'

@Module({
  imports: [
    TypeOrmModule.forRoot(
      guardDataSource(
        { type: 'postgres', url: process.env.DATABASE_URL, autoLoadEntities: true },
        { name: 'tasks', fleet: { app: 'tasks' } },
      ),
    ),
    TypeOrmModule.forFeature([Task]),
    PoolguardModule.forRoot({ metrics: true }),
    TerminusModule,
  ],
  controllers: [TasksController, HealthController],
  providers: [PoolguardHealthIndicator],
})
export class AppModule {}
