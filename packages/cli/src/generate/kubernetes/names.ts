/** Names of the generated objects. The app's own names derive from `--name`. */
export const POOLER = 'pgbouncer'

/** The Secret with the app's password, under the key `password`. */
export function appSecret(app: string): string {
  return `${app}-db`
}

/** The Secret with the passwords of PgBouncer's own two users. */
export const POOLER_SECRET = 'pgbouncer'

export function labels(name: string): { readonly 'app.kubernetes.io/name': string } {
  return { 'app.kubernetes.io/name': name }
}

/** No root, no capabilities, no changes to the image's files. */
export const LOCKED_DOWN = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
} as const
