/** Stands in for the files of the live page; see next.config.ts. */
export const pageFiles = async (): Promise<never[]> => []
