import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { LocalProcess } from '../sessions/session.ts'
import { shortenCommand } from '../sessions/shorten-command.ts'

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** A TCP connection of this machine. */
export interface Socket {
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly inode: string
}

const ESTABLISHED = '01'

/**
 * The open TCP connections of this machine. Linux only; empty elsewhere.
 *
 * @see https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html
 */
export function openSockets(): readonly Socket[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) => linesOf(table).flatMap(readSocket))
}

function readSocket(line: string): Socket | [] {
  const [, local = '', remote = '', state, , , , , , inode = '0'] = line.trim().split(/\s+/)
  const ends = state === ESTABLISHED && inode !== '0' ? [endpointOf(local), endpointOf(remote)] : []
  const [near, far] = ends
  return near && far ? { local: near, remote: far, inode } : []
}

/** `0100007F:1F90`: 32 bits at a time in the byte order of the machine, which is little-endian wherever Node has many users. */
function endpointOf(text: string): Endpoint | undefined {
  const [hex = '', port = ''] = text.split(':')
  const address = hex.length === 8 ? bytesOf(hex).join('.') : ipv6(hex)
  return address === undefined ? undefined : { address, port: Number.parseInt(port, 16) }
}

const IPV4_IN_IPV6 = '0000000000000000FFFF0000'

function ipv6(hex: string): string | undefined {
  if (hex.startsWith(IPV4_IN_IPV6)) return bytesOf(hex.slice(IPV4_IN_IPV6.length)).join('.')
  const bytes = [0, 8, 16, 24].flatMap((at) => bytesOf(hex.slice(at, at + 8)))
  const words = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16),
  )
  // The URL parser writes the short form, as PostgreSQL does.
  return URL.parse(`http://[${words.join(':')}]`)?.hostname.slice(1, -1)
}

function bytesOf(hex: string): number[] {
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))
}

/** The processes that hold these sockets, by inode, as far as this user may see them. */
export function ownersOf(inodes: ReadonlySet<string>): ReadonlyMap<string, LocalProcess> {
  const owners = new Map<string, LocalProcess>()
  if (inodes.size === 0) return owners
  for (const pid of namesIn('/proc')) {
    if (owners.size === inodes.size) break
    // A server's processes hold the other ends, and there may be a thousand of them.
    if (!/^\d+$/.test(pid) || linesOf(`/proc/${pid}/comm`)[0] === 'postgres') continue
    const held = socketsOf(pid).filter((inode) => inodes.has(inode))
    if (held.length === 0) continue
    const owner = { pid: Number(pid), command: commandOf(pid) }
    for (const inode of held) owners.set(inode, owner)
  }
  return owners
}

function socketsOf(pid: string): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return namesIn(folder).flatMap((descriptor) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${descriptor}`))?.[1] ?? []
    } catch {
      // It was closed meanwhile.
      return []
    }
  })
}

function commandOf(pid: string): string {
  return shortenCommand(linesOf(`/proc/${pid}/cmdline`).join(' ').split('\u0000').filter(Boolean))
}

/** Empty if this user may not read it, or if the process has ended. */
function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}
