/**
 * The environment at startup. PGPASSWORD is removed from `process.env`, because pg would send it to any server that asks for
 * a password; {@link findTarget} uses it only for the server that it belongs to.
 */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env }

delete process.env.PGPASSWORD
