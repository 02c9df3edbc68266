/** Chinese for the texts of `translate.ts`. */
export const CHINESE: ReadonlyMap<string, string> = new Map([])
