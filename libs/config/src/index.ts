export { ConfigOutput, loadConfig, loadProcessConfig, type ConfigSources } from './load-config.js';
export {
  defineConfig,
  type CommonConfig,
  type Config,
  type ConfigDefinition,
  type ConfigKey,
} from './define-config.js';
export { eventKeys } from './event-keys.js';
export { installRoot, nativeBinary, nativeDirectory } from './install-root.js';
export {
  address,
  boolean,
  bytes,
  durationMs,
  integer,
  listOf,
  oneOf,
  path,
  string,
  type Parser,
} from './parsers.js';
