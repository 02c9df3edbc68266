/**
 * The environment at startup. PGPASSWORD and PGSERVICE are removed from `process.env`, because a pool would send the password, or that of
 * the service, to any server that asks for one; {@link findTarget} uses them only for the server that they belong to.
 */
export const environment: Readonly<Record<string, string | undefined>> = { ...process.env }

delete process.env.PGPASSWORD
delete process.env.PGSERVICE
