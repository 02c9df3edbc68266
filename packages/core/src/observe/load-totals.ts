/** A module of its own, because `import()` of a module that other entries load too costs them a file. */
export { addUpClosed } from './closed-totals.ts'
