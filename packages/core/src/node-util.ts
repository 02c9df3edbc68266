/**
 * What core uses of `node:util`, without an `import` of it. An import makes every export of the module ready, and with that loads a
 * dozen of Node's internal modules that most applications never use: 2 ms of the start of a process.
 */
const util: typeof import('node:util') = process.getBuiltinModule('node:util')

export const inspect: typeof util.inspect = util.inspect
export const debuglog: typeof util.debuglog = util.debuglog
