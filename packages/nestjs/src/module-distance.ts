import type { Type } from '@nestjs/common'
import type { ModulesContainer } from '@nestjs/core'

/**
 * Decides when Nest calls the shutdown hooks of a module, wherever and however often it is imported: those of modules with a small
 * distance first. Nest sorts modules by their distance from the root; all global modules have the same distance, and then the order of
 * imports decides. Call this before the first hook, because Nest caches the order.
 *
 * @see https://docs.nestjs.com/fundamentals/lifecycle-events
 */
export function setDistance(module: Type, modules: ModulesContainer, distance: number): void {
  for (const each of modules.values()) {
    if (each.metatype === module) each.distance = distance
  }
}
