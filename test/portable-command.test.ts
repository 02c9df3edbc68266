import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { portableCommand } from './portable-command.ts'

test.each<[program: string, args: readonly string[], line: string]>([
  ['pnpm', ['pack', '--pack-destination', 'D:\\a\\out'], 'pnpm pack --pack-destination D:\\a\\out'],
  ['npm', ['publish', 'C:\\Users\\Ada L\\a.tgz'], 'npm publish "C:\\Users\\Ada L\\a.tgz"'],
  ['npx', ['--package=node@^22', '--', 'node', '-e', ''], 'npx "--package=node@^22" -- node -e ""'],
  ['C:\\Program Files\\nodejs\\node.exe', ['-p', '"a" + 1'], '"C:\\Program Files\\nodejs\\node.exe" -p """a"" + 1"'],
])('on Windows, a shell gets one line: %s %j', (program, args, line) => {
  expect(portableCommand(program, args, 'win32')).toEqual({ file: line, args: [], shell: true })
})

test.each<NodeJS.Platform>(['linux', 'darwin'])('on %s, there is no shell', (platform) => {
  const args = ['publish', 'a b']
  expect(portableCommand('npm', args, platform)).toEqual({ file: 'npm', args, shell: false })
})

test('npm starts on this system', () => {
  const { file, args, shell } = portableCommand('npm', ['--version'])
  expect(execFileSync(file, args, { encoding: 'utf8', shell })).toMatch(/^\d+\./)
})
