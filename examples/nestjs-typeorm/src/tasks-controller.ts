import {
  BadRequestException,
  Body,
  Controller,
  Get,
  NotFoundException,
  Param,
  ParseIntPipe,
  Patch,
  Post,
} from '@nestjs/common'
import { InjectRepository } from '@nestjs/typeorm'
import { Repository } from 'typeorm'
import { Task } from './task.ts'

@Controller('tasks')
export class TasksController {
  constructor(@InjectRepository(Task) private readonly tasks: Repository<Task>) {}

  @Get()
  list(): Promise<Task[]> {
    return this.tasks.find({ order: { id: 'desc' }, take: 20 })
  }

  @Post()
  add(@Body('title') title: unknown): Promise<Task> {
    if (typeof title !== 'string' || title === '') throw new BadRequestException('title is missing')
    return this.tasks.save(this.tasks.create({ title }))
  }

  /** Runs two statements in one transaction, on one connection. */
  @Patch(':id/done')
  finish(@Param('id', ParseIntPipe) id: number): Promise<Task> {
    return this.tasks.manager.transaction(async (manager) => {
      const task = await manager.findOne(Task, { where: { id }, lock: { mode: 'pessimistic_write' } })
      if (!task) throw new NotFoundException()
      return manager.save(Object.assign(task, { done: true }))
    })
  }
}
