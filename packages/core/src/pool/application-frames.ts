/** Drivers, ORMs and frameworks add about 30 frames between an application and its pool. */
const CAPTURED_FRAMES = 64
/** Enough to find the caller, and short enough for a log line. */
const MAX_SHOWN_FRAMES = 16

/** Frames of built-in functions have no position. */
const POSITION = /:\d+:\d+\)?$/
const OF_NODE = /(?:\(|\bat |\basync )node:/
const OF_PACKAGE = /[\\/]node_modules[\\/]/

/** An object whose `stack` is formatted on first access. */
export interface Trace {
  readonly stack?: string
}

/** The locations of poolguard's own code in stacks: URLs for ES modules, paths for CommonJS. */
const ownCode = new Set<string>()

/**
 * Registers a package's code, so that its frames do not count as frames of the application. Each package calls it once, when it
 * is loaded. The location comes from a stack, because `import.meta.url` does not exist in bundled CommonJS.
 *
 * @param here an error created at the top level of the package's code.
 * @param folder the package's folder, without the scope. If it is not part of the path, the code was bundled into one file.
 */
export function registerOwnCode(here: Error, folder: string): void {
  const frame = framesOf(here)?.find((line) => POSITION.test(line))
  const file = frame && fileOf(frame)
  if (!file) return
  const inPackage = new RegExp(`^.*[\\\\/]${folder}[\\\\/](?:src|dist)[\\\\/]`).exec(file)
  ownCode.add(inPackage?.[0] ?? file)
}

registerOwnCode(new Error(), 'core')

/** Captures the stack from the caller of `below` upwards, deep enough to reach the application. */
export function captureTrace(below: (...args: never[]) => unknown): Trace {
  const trace: Trace = {}
  const limit = Error.stackTraceLimit
  // An assignment would throw if the built-in objects are frozen.
  Reflect.set(Error, 'stackTraceLimit', Math.max(limit || 0, CAPTURED_FRAMES))
  try {
    Error.captureStackTrace(trace, below)
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
  return trace
}

/**
 * The application's frames of the first stack that has any, one per line, without frames of poolguard, packages and Node.
 * If no stack has such a frame, as in an application that is bundled into one file, the whole first stack.
 */
export function findApplicationFrames(traces: readonly (Trace | undefined)[]): string | null {
  const stacks = traces.flatMap((trace) => {
    const frames = trace && framesOf(trace)
    return frames ? [frames] : []
  })
  for (const frames of stacks) {
    const ofApplication = frames.filter(isOfApplication)
    if (ofApplication.length > 0) return show(ofApplication)
  }
  return stacks[0] ? show(stacks[0]) : null
}

/** The place of the application's topmost frame, as `src/checkout.ts:88`; undefined if no stack has such a frame. */
export function findCallSite(traces: readonly (Trace | undefined)[]): string | undefined {
  for (const trace of traces) {
    const frame = trace && framesOf(trace)?.find(isOfApplication)
    if (frame !== undefined) return `${fromWorkingDirectory(fileOf(frame))}:${POSITION.exec(frame)?.[0].split(':')[1]}`
  }
  return undefined
}

function fromWorkingDirectory(file: string): string {
  const path = file.startsWith('file:') ? pathOf(file) : file
  const folder = process.cwd()
  return path.startsWith(folder) && /^[\\/]/.test(path.slice(folder.length)) ? path.slice(folder.length + 1) : path
}

function pathOf(url: string): string {
  try {
    return process.getBuiltinModule('node:url').fileURLToPath(url)
  } catch {
    return url
  }
}

function show(frames: readonly string[]): string {
  return frames.slice(0, MAX_SHOWN_FRAMES).join('\n')
}

/** An application may have replaced the formatting of stacks, so `stack` may not be a text. */
function framesOf({ stack }: Trace): string[] | undefined {
  if (typeof stack !== 'string') return undefined
  return stack.split('\n').filter((line) => /^\s*at /.test(line))
}

function isOfApplication(frame: string): boolean {
  if (!POSITION.test(frame) || OF_NODE.test(frame) || OF_PACKAGE.test(frame)) return false
  const file = fileOf(frame)
  for (const own of ownCode) if (file.startsWith(own)) return false
  return true
}

/** The file of `at name (file:1:2)`, `at async name (file:1:2)`, `at file:1:2` or `at async file:1:2`. */
function fileOf(frame: string): string {
  const location = frame.trim().replace(/^at (?:async )?/, '')
  const position = location.endsWith(')') ? location.slice(location.indexOf(' (') + 2, -1) : location
  return position.replace(/:\d+:\d+$/, '')
}
