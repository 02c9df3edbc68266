import type { AppInProject } from '../project/apps/app-in-project.ts'
import type { Evaluator } from '../source/evaluator.ts'
import type { Module, Node } from '../source/module.ts'
import type { SourceEditor } from './source-editor.ts'

/** A change that a person has to make, because an edit could change what the code does. */
export interface Instruction {
  readonly file: string
  readonly line: number
  /** What to write, and why `init` does not write it. */
  readonly text: string
}

/** One source while it is adopted: what the adopters read and edit. */
export interface Adoption {
  readonly module: Module
  readonly editor: SourceEditor
  readonly evaluator: Evaluator
  readonly app: AppInProject
  /** The app's major version of Prisma; undefined without Prisma. */
  readonly prismaMajor: number | undefined
  /** The variable of Prisma's datasource; undefined if it is not of PostgreSQL. */
  readonly prismaVariable: string | undefined
  /** The app gives TypeORM's options to Nest, so that a DataSource beside it is for migrations. */
  readonly hasTypeOrmModule: boolean
  /** A source of the app makes the instance of Fastify; otherwise its command line does. */
  readonly makesFastify: boolean
  /** Adds a package to install. */
  readonly need: (name: string) => void
  readonly instruct: (node: Node, text: string) => void
}

/** Adopts poolguard for one library in one source. */
export type Adopter = (adoption: Adoption) => void
