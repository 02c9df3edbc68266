import { Document, isMap, isPair, isSeq, type Pair, Scalar, visit } from 'yaml'

/** Said above the key that the path leads to. */
const COMMENTS: readonly (readonly [path: readonly string[], comment: string])[] = [
  [
    ['services', 'postgres', 'command'],
    'Connections and timeouts as planned. `poolguard generate postgres` gives the reason for each.',
  ],
  [['services', 'postgres', 'shm_size'], "Parallel queries share memory there; Docker's own 64 MB are soon too few."],
  [['services', 'postgres', 'ports'], 'On this machine only, for migrations and `poolguard doctor`.'],
  [['services', 'pgbouncer', 'ulimits'], 'A file for each client and each server connection.'],
  [
    ['services', 'app', 'deploy'],
    'The plan is for so many. Another number needs another plan: `poolguard generate compose --force`.',
  ],
  [['secrets'], 'From .env, or from the environment that compose is called with.'],
]

/** A list that is one command stands on one line. */
const COMMANDS = ['entrypoint', 'test']

/** A compose file with its reasons. */
export function composeYaml(content: object, steps: readonly string[]): string {
  const document = new Document(content)
  document.commentBefore = [
    ' Made by `poolguard generate compose`. The plan:',
    ...steps.map((step) => `   ${step}`),
  ].join('\n')
  for (const [path, comment] of COMMENTS) {
    const key = keyAt(document, path)
    if (key) key.commentBefore = ` ${comment}`
  }
  visit(document, {
    Pair(_, { key, value }, path) {
      if (!(key instanceof Scalar)) return
      // The document, its map, and for a service the pair and the map of all services.
      const isBlock = path.length === 2 || (path.length === 4 && isServices(path[2]))
      if (isBlock && key.value !== 'services' && !isFirst(key, path.at(-1))) key.spaceBefore = true
      if (!isSeq(value)) return
      if (COMMANDS.includes(String(key.value))) value.flow = true
      // Without quotes some of them are numbers to base 60 to a YAML 1.1 parser.
      if (key.value === 'ports') for (const port of value.items) if (port instanceof Scalar) port.type = 'QUOTE_DOUBLE'
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function isServices(node: unknown): boolean {
  return isPair(node) && node.key instanceof Scalar && node.key.value === 'services'
}

function isFirst(key: Scalar, map: unknown): boolean {
  return isMap(map) && map.items[0]?.key === key
}

function keyAt(document: Document, path: readonly string[]): Scalar | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1))
  if (!isMap(parent)) return undefined
  const pair: Pair | undefined = parent.items.find(({ key }) => key instanceof Scalar && key.value === path.at(-1))
  return pair?.key instanceof Scalar ? pair.key : undefined
}
