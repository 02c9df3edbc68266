import type { Reporter, TestCase } from 'vitest/node'

/** Names the tests that have passed only when they ran again, with their errors: see `retry` in test-settings.ts. */
export default class RetriesReporter implements Reporter {
  readonly #retried: string[] = []

  onTestCaseResult(test: TestCase): void {
    if (!test.diagnostic()?.flaky) return
    const errors = (test.result().errors ?? []).map(({ message }) => `    ${message.split('\n')[0]}`)
    this.#retried.push(`  ${test.module.relativeModuleId} > ${test.fullName}`, ...errors)
  }

  onTestRunEnd(): void {
    if (this.#retried.length > 0)
      process.stdout.write(`\nPassed only when they ran again:\n${this.#retried.join('\n')}\n`)
  }
}
