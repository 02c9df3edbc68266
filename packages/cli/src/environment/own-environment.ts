/**
 * The variables that the command was started with. PGPASSWORD is taken out of `process.env`, where pg would find it and send
 * it to any server that asks for a password; {@link findTarget} gives it to the server that it was meant for.
 */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env }

delete process.env.PGPASSWORD
