/** The calls of the providers' SDKs that examples use. The SDKs are not installed. */

declare module '@aws-sdk/rds-signer' {
  export class Signer {
    constructor(options: { hostname: string; port: number; username: string; region?: string })
    getAuthToken(): Promise<string>
  }
}

declare module 'google-auth-library' {
  interface AuthClient {
    readonly credentials: { readonly expiry_date?: number | null }
    getAccessToken(): Promise<{ readonly token?: string | null }>
  }
  export class GoogleAuth {
    constructor(options: { scopes: string | string[] })
    getClient(): Promise<AuthClient>
  }
}

declare module '@azure/identity' {
  export class DefaultAzureCredential {
    getToken(scopes: string | string[]): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>
  }
}
