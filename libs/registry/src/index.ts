export { kindOfAddress, maySendTo, type AddressKind } from './address-kind.js';
export type { BlobSink } from './blob-download.js';
export type { BlobSource, UploadProgress } from './blob-upload.js';
export type { Credential, CredentialsOf } from './credentials.js';
export type { TagPage } from './listings.js';
export { proxyFromEnvironment, type ProxyOf } from './proxy.js';
export { readSettings, type SettingsPlaces } from './read-settings.js';
export { RegistryClient, type RegistryClientOptions } from './registry-client.js';
export { isWorthAnotherHost, printable } from './registry-error.js';
export {
  noSettings,
  parseRegistriesFile,
  SettingsError,
  type RegistrySettings,
} from './registry-settings.js';
export {
  MANIFEST_TYPES,
  type RemoteDocument,
  type RemoteHead,
  type Repository,
} from './repository.js';
export { DEFAULT_RETRY, type Retries, type RetryPolicy } from './retry.js';
export { DEFAULT_PATIENCE, type Patience } from './transport.js';
