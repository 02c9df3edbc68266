import { Module } from '@nestjs/common'
import { TypeOrmModule } from '@nestjs/typeorm'
import { PoolguardModule } from '@poolguard/nestjs'
import { guardDataSource } from '@poolguard/typeorm'
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
    PoolguardModule.forRoot({
      metrics: true,
      admin: process.env.ADMIN_TOKEN !== undefined,
      adminToken: process.env.ADMIN_TOKEN,
    }),
  ],
  controllers: [TasksController],
})
export class AppModule {}
