import type { Type } from '@nestjs/common'
import type { ModulesContainer } from '@nestjs/core'

/**
 * Makes a module the last one whose shutdown hooks Nest calls, wherever and however often it is imported. Nest goes by the
 * modules' distance from the root; all global ones are at the same, and among them it is the order of imports that decides.
 * To be called before the first hook, since Nest keeps the order.
 *
 * @see https://docs.nestjs.com/fundamentals/lifecycle-events
 */
export function shutDownLast(module: Type, modules: ModulesContainer): void {
  for (const each of modules.values()) {
    if (each.metatype === module) each.distance = Number.POSITIVE_INFINITY
  }
}
