/** Writes docs/compatibility.md from what a whole run of the tests did. */
import { writeFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { ROOT } from '../docs/documents.ts'
import { COMPATIBILITY, compatibilityDocument, type TestRun } from './document.ts'

const TESTS = join(ROOT, 'test')

function runOf(module: TestModule, test: TestCase): TestRun {
  return {
    project: module.project.name,
    file: relative(TESTS, module.moduleId).split(sep).join('/'),
    fullName: test.fullName,
    state: test.result().state,
  }
}

export default class CompatibilityReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const runs = modules.flatMap((module) => [...module.children.allTests()].map((test) => runOf(module, test)))
    writeFileSync(join(ROOT, COMPATIBILITY), compatibilityDocument(runs, new Date()))
  }
}
