export { type CredentialSource, credentialSourceOf, type UseCredentials } from './credential-source.ts'
export {
  type Answer,
  type Credentials,
  type CredentialsFunction,
  type CredentialsRequest,
  type ExpiringPassword,
  type PasswordFunction,
  validateCredentials,
} from './credentials.ts'
