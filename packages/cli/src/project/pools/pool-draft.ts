import type * as t from '@babel/types'
import type { Evaluator, PackageMember } from '../../source/evaluator.ts'
import type { Place } from '../../source/source-graph.ts'
import type { PoolLibrary } from '../pool-in-source.ts'

/** A call, `new`, or a class without a constructor that creates what a package's member creates. */
export interface Creation {
  readonly place: Place<t.CallExpression | t.NewExpression | t.ClassDeclaration | t.ClassExpression>
  readonly member: PackageMember
  readonly arguments: readonly Place[]
}

/** The size of a pool whose options set none. */
export interface DefaultSize {
  readonly value: number
  /** The page that says so. */
  readonly reference: string
  /** What the default depends on, if it is not a fixed number. */
  readonly assumes?: string
}

/** Where a size was looked for. */
export type SizePlace =
  | { readonly kind: 'found'; readonly place: Place }
  /** The options are complete, and set no size. */
  | { readonly kind: 'absent' }
  /** The options, or a part of them, cannot be read from the sources. */
  | { readonly kind: 'unknown'; readonly place: Place }

/** A pool, before its size has been computed. */
export interface PoolDraft {
  readonly library: PoolLibrary
  readonly size: SizePlace
  readonly byDefault: DefaultSize
  /** The expression of the address. */
  readonly url?: Place | undefined
  /** Default 1. */
  readonly pools?: number
  readonly guarded?: boolean
  /** A constructor cannot return the pool of an earlier call with the same name. */
  readonly isNewEachTime?: boolean
  /** `connection_limit` in the URL sets the size. */
  readonly readsConnectionLimit?: boolean
  /** The options object. One that several calls share makes one pool: TypeORM's CLI and the app share theirs. */
  readonly options?: Place | undefined
}

/** Reads what a member of a package creates; undefined if it opens no pool of its own. */
export interface PoolReader {
  readonly source: RegExp
  readonly path: RegExp
  readonly read: (evaluator: Evaluator, creation: Creation) => PoolDraft | undefined
}
