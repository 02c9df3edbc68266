/** Files that `docker compose` reads together: a base, and overrides in their order. */
export interface ComposeVariant {
  readonly directory: string
  readonly files: readonly string[]
}

/** Docker compose's default names, in its order: https://docs.docker.com/compose/intro/compose-application-model/ */
export const COMPOSE_BASES: readonly string[] = [
  'compose.yaml',
  'compose.yml',
  'docker-compose.yml',
  'docker-compose.yaml',
]
const OVERRIDES = COMPOSE_BASES.map((name) => name.replace('compose.', 'compose.override.'))

export const COMPOSE_FILE: RegExp = /^(docker-)?compose([.-][\w.-]+)?\.ya?ml$/

/**
 * Groups compose files of all directories by how `docker compose` would read them.
 * - The base together with its `override` file is what `docker compose up` reads.
 * - Every other file, such as `docker-compose.prod.yml`, is an alternative: by itself if it is complete, and otherwise on top of
 *   the base, as in `docker compose -f docker-compose.yml -f docker-compose.prod.yml up`.
 *
 * @param isComplete whether every service of a file can be started without another file.
 */
export function composeVariants(
  paths: readonly string[],
  isComplete: (path: string) => boolean,
): readonly ComposeVariant[] {
  const directories = Map.groupBy(paths, directoryOf)
  return [...directories].flatMap(([directory, files]) => {
    const find = (names: readonly string[]) =>
      names.map((name) => join(directory, name)).find((path) => files.includes(path))
    const base = find(COMPOSE_BASES)
    const override = find(OVERRIDES)
    const others = files.filter((path) => !isDefault(path))
    const main = [base, override].filter((path) => path !== undefined)
    return [
      ...(main.length > 0 ? [{ directory, files: main }] : []),
      ...others.map((path) => ({
        directory,
        files: base === undefined || isComplete(path) ? [path] : [base, path],
      })),
    ]
  })
}

/** Files of the default names that another default name hides. */
export function hiddenComposeFiles(paths: readonly string[], variants: readonly ComposeVariant[]): readonly string[] {
  const used = new Set(variants.flatMap(({ files }) => files))
  return paths.filter((path) => !used.has(path))
}

function isDefault(path: string): boolean {
  const name = path.split('/').at(-1) ?? ''
  return COMPOSE_BASES.includes(name) || OVERRIDES.includes(name)
}

function directoryOf(path: string): string {
  return path.split('/').slice(0, -1).join('/')
}

function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}
