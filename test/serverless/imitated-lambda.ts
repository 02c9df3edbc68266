import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { type End, FreezableProcess } from './freezable-process.ts'

/** An invocation that the function has not answered yet. */
interface Invocation {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

const NEXT_INVOCATION = '/2018-06-01/runtime/invocation/next'
const NEXT_EVENT = '/2020-01-01/extension/event/next'

/**
 * Not AWS Lambda, but an imitation of one execution environment from AWS's documentation: the runtime's and the extensions' API, and
 * when the environment is frozen, thawed and shut down. Lambda's limits of time are not imitated.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export class ImitatedLambda implements AsyncDisposable {
  readonly #api: Server
  readonly #environment: FreezableProcess
  readonly #invocations = new Map<string, Invocation>()
  /** The extension that the function has registered, if it has. */
  #extension: string | undefined
  /** The runtime's request for the next invocation, while it has none. */
  #idleRuntime = Promise.withResolvers<ServerResponse>()
  #idleExtension = Promise.withResolvers<ServerResponse>()

  static async start(program: string, env: Readonly<Record<string, string>>): Promise<ImitatedLambda> {
    const api = createServer().listen(0, '127.0.0.1')
    await once(api, 'listening')
    return new ImitatedLambda(api, program, env)
  }

  private constructor(api: Server, program: string, env: Readonly<Record<string, string>>) {
    this.#api = api.on('request', (request, response) => void this.#answer(request, response))
    const { port } = api.address() as AddressInfo
    this.#environment = new FreezableProcess(program, { ...env, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` })
  }

  /** Runs the function once. The environment is thawed for it, and frozen when the runtime and the extension ask for what is next. */
  async invoke(event: unknown): Promise<unknown> {
    const runtime = await this.#idle()
    this.#idleRuntime = Promise.withResolvers()
    this.#environment.thaw()
    const id = crypto.randomUUID()
    const { promise: answered, resolve, reject } = Promise.withResolvers<unknown>()
    this.#invocations.set(id, { resolve, reject })
    runtime.setHeader('lambda-runtime-aws-request-id', id).end(JSON.stringify(event))
    const answer = await answered
    await this.#idle()
    this.#environment.freeze()
    return answer
  }

  /** Ends the environment: with SIGTERM if the function has registered an extension, otherwise at once. */
  async shutDown(): Promise<End> {
    await this.#idle()
    this.#environment.kill(this.#extension === undefined ? 'SIGKILL' : 'SIGTERM')
    this.#environment.thaw()
    return await this.#environment.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment[Symbol.asyncDispose]()
    this.#api.closeAllConnections()
    this.#api.close()
  }

  /** Resolves with the request that the runtime waits for, when the extension waits, too. */
  async #idle(): Promise<ServerResponse> {
    const ended = this.#environment.end().then(({ output }) => {
      throw new Error(`the function has ended:\n${output}`)
    })
    const runtime = await Promise.race([this.#idleRuntime.promise, ended])
    if (this.#extension !== undefined) await Promise.race([this.#idleExtension.promise, ended])
    return runtime
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request
    if (method === 'GET' && url === NEXT_INVOCATION) return this.#idleRuntime.resolve(response)
    if (method === 'GET' && url === NEXT_EVENT) return this.#nextEvent(request, response)
    const body = (await json(request)) as { errorMessage?: string; events?: readonly string[] }
    if (method === 'POST' && url === '/2020-01-01/extension/register') return this.#register(request, response, body)
    const [, id = '', outcome] = url.match(/^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/) ?? []
    const invocation = this.#invocations.get(id)
    if (!invocation) return void response.writeHead(400).end()
    response.writeHead(202).end()
    if (outcome === 'error') invocation.reject(new Error(body.errorMessage))
    else invocation.resolve(body)
  }

  /** An extension within the runtime may not register for the event of the shutdown. */
  #register(request: IncomingMessage, response: ServerResponse, { events = [] }: { events?: readonly string[] }): void {
    if (!request.headers['lambda-extension-name']) return void response.writeHead(400).end()
    if (events.includes('SHUTDOWN')) return void response.writeHead(403).end()
    this.#extension = crypto.randomUUID()
    response.setHeader('lambda-extension-identifier', this.#extension).end('{}')
  }

  /** An extension that has registered for no event waits for as long as the environment exists. */
  #nextEvent(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers['lambda-extension-identifier'] !== this.#extension) return void response.writeHead(403).end()
    this.#idleExtension.resolve(response)
  }
}
