const util: typeof import('node:util') = process.getBuiltinModule('node:util')

export const inspect: typeof util.inspect = util.inspect

/** Node's own, except that workerd's writes every section, and the text of statements with it, without anyone's NODE_DEBUG. */
export function debuglog(section: string): (message: string, ...values: unknown[]) => void {
  return process.env.NODE_DEBUG ? util.debuglog(section) : () => {}
}
