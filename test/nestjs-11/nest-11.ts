import path from 'node:path'

const here = import.meta.dirname

/** Whether an import is to be found here in place of where it stands. */
export function isOfNest11(specifier: string, importer: string | undefined): boolean {
  return (
    /^(@nestjs\/|typeorm(\/|$))/.test(specifier) && !importer?.includes('/node_modules/') && !importer?.includes(here)
  )
}

/** As whose import it is to be found. */
export const importerOfNest11: string = path.join(here, 'package.json')
