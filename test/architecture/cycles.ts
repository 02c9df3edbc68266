/** What each file imports. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>

export function graphOf(imports: Iterable<{ readonly file: string; readonly target: string | undefined }>): Graph {
  const graph = new Map<string, Set<string>>()
  for (const { file, target } of imports) {
    if (target === undefined) continue
    const targets = graph.get(file) ?? new Set()
    graph.set(file, targets.add(target))
  }
  return graph
}

/** A shortest cycle through each group of files that import each other, as `a -> b -> a`. */
export function findCycles(graph: Graph): readonly string[] {
  const cycles: string[] = []
  const seen = new Set<string>()
  for (const start of [...graph.keys()].sort()) {
    if (seen.has(start)) continue
    const cycle = shortestCycle(graph, start)
    if (!cycle) continue
    for (const file of cycle) seen.add(file)
    cycles.push([...cycle, start].join(' -> '))
  }
  return cycles
}

function shortestCycle(graph: Graph, start: string): readonly string[] | undefined {
  const cameFrom = new Map<string, string>()
  const queue = [start]
  for (const file of queue) {
    for (const target of graph.get(file) ?? []) {
      if (target === start) return pathTo(file, cameFrom, start)
      if (cameFrom.has(target)) continue
      cameFrom.set(target, file)
      queue.push(target)
    }
  }
  return undefined
}

function pathTo(file: string, cameFrom: ReadonlyMap<string, string>, start: string): readonly string[] {
  const path: string[] = []
  for (let at: string | undefined = file; at !== undefined && at !== start; at = cameFrom.get(at)) path.unshift(at)
  return [start, ...path]
}
