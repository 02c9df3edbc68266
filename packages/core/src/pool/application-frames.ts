/** Drivers, ORMs and frameworks put some 30 frames between an application and its pool. */
const CAPTURED_FRAMES = 64
/** Enough to find the caller, and short enough for a log line. */
const MAX_SHOWN_FRAMES = 16

/** Frames of built-in functions have none. */
const POSITION = /:\d+:\d+\)?$/
const OF_NODE = /(?:\(|\bat |\basync )node:/
const OF_PACKAGE = /[\\/]node_modules[\\/]/

/** An object whose `stack` is formatted only when it is read. */
export interface Trace {
  readonly stack?: string
}

/** Where poolguard's own code is, as stacks name it: a URL for ES modules, a path for CommonJS. */
const ownCode = new Set<string>()

/**
 * Tells which frames belong to poolguard and not to the application. Each package calls it once, when it is loaded. The
 * place is read off a stack, because `import.meta.url` is missing where a bundler writes CommonJS.
 *
 * @param here an error that was made at the top level of the package's code.
 * @param folder the package's folder, without the scope. Where it is not on the path, the code was bundled into one file.
 */
export function registerOwnCode(here: Error, folder: string): void {
  const frame = framesOf(here)?.find((line) => POSITION.test(line))
  const file = frame && fileOf(frame)
  if (!file) return
  const inPackage = new RegExp(`^.*[\\\\/]${folder}[\\\\/](?:src|dist)[\\\\/]`).exec(file)
  ownCode.add(inPackage?.[0] ?? file)
}

registerOwnCode(new Error(), 'core')

/** Captures the stack from the caller of `below` on, deep enough to reach the application. */
export function captureTrace(below: (...args: never[]) => unknown): Trace {
  const trace: Trace = {}
  const limit = Error.stackTraceLimit
  // Not by assignment, which throws where the built-in objects are frozen.
  Reflect.set(Error, 'stackTraceLimit', Math.max(limit || 0, CAPTURED_FRAMES))
  try {
    Error.captureStackTrace(trace, below)
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit)
  }
  return trace
}

/**
 * The application's frames of the first stack that has any, a line each: without those of poolguard, of packages and of Node.
 * Where no stack has one, as in an application that is bundled into one file, the first stack as it is.
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

function show(frames: readonly string[]): string {
  return frames.slice(0, MAX_SHOWN_FRAMES).join('\n')
}

/** An application may have replaced how stacks are formatted, by something that is no text. */
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

/** Of `at name (file:1:2)`, `at async name (file:1:2)`, `at file:1:2` or `at async file:1:2`. */
function fileOf(frame: string): string {
  const place = frame.trim().replace(/^at (?:async )?/, '')
  const named = place.endsWith(')') ? place.slice(place.indexOf(' (') + 2, -1) : place
  return named.replace(/:\d+:\d+$/, '')
}
