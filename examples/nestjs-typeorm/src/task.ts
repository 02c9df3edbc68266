import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'

@Entity()
export class Task {
  @PrimaryGeneratedColumn()
  id!: number

  @Column('text')
  title!: string

  @Column('boolean', { default: false })
  done!: boolean
}
