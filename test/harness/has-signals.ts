/** False on Windows: a process cannot be asked to end there, only be killed, and cannot be frozen. */
export const hasSignals: boolean = process.platform !== 'win32'
