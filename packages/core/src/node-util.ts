const util: typeof import('node:util') = process.getBuiltinModule('node:util')

export const inspect: typeof util.inspect = util.inspect
export const debuglog: typeof util.debuglog = util.debuglog
