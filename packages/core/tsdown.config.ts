import { defineConfig, Rolldown, type UserConfig } from 'tsdown'
import { base } from '../../tsdown.base.ts'

const ADAPTER = 'src/adapter.ts'
const INDEX = 'src/index.ts'
const CONNECTION = 'src/connection.ts'

/** What an import of each entry loads. */
const [ofAdapter, ofIndex, ofConnection] = await Promise.all([ADAPTER, INDEX, CONNECTION].map(modulesOf))

/** The modules of which an import of this entry loads code. */
async function modulesOf(entry: string): Promise<ReadonlySet<string>> {
  const bundle = await Rolldown.rolldown({ input: entry, platform: 'node' })
  const { output } = await bundle.generate({ codeSplitting: { groups: [] } })
  await bundle.close()
  const chunks = new Map(output.flatMap((chunk) => (chunk.type === 'chunk' ? [[chunk.fileName, chunk] as const] : [])))
  const loaded = new Set<string>()
  const add = (name: string | undefined): void => {
    const chunk = name !== undefined && chunks.get(name)
    if (!chunk || !chunks.delete(chunk.fileName)) return
    for (const id of chunk.moduleIds) loaded.add(id)
    for (const each of chunk.imports) add(each)
  }
  add(output[0].fileName)
  return loaded
}

/** The types for `import` lead to those for `require`, which are the same, so that they are published once. */
const typesOfCommonJs: Rolldown.Plugin = {
  name: 'types-of-commonjs',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk' || !chunk.isEntry) continue
      this.emitFile({ type: 'asset', fileName: `${chunk.name}.d.mts`, source: `export * from './${chunk.name}.cjs'\n` })
    }
  },
}

const common = {
  ...base,
  entry: {
    index: INDEX,
    adapter: ADAPTER,
    connection: CONNECTION,
    postgres: 'src/postgres.ts',
    web: 'src/web.ts',
    dashboards: 'src/dashboards/index.ts',
  },
  outputOptions: {
    ...base.outputOptions,
    // Few files, because each one costs an import as much as 20 kB of code: one for what every pool loads, one for what apps and pages load
    // besides, and one for what is left, which is mostly loaded with a pool's first connection.
    codeSplitting: {
      groups: [
        { name: 'shared', test: (id) => ofAdapter?.has(id), minShareCount: 2 },
        { name: 'metrics', test: (id) => ofIndex?.has(id), minShareCount: 2 },
        { name: 'connecting', test: (id) => ofConnection?.has(id), minShareCount: 2 },
      ],
    },
  },
} satisfies UserConfig

export default defineConfig([
  { ...common, format: 'cjs', dts: true },
  { ...common, format: 'esm', dts: false, plugins: [typesOfCommonJs] },
])
