export {
  CAPABILITY_NUMBERS,
  DEFAULT_CAPABILITIES,
  isCapabilityName,
  type CapabilityName,
} from './capabilities.js';
export { hasResources, mergeResources } from './merge-resources.js';
export { DEFAULT_NAMESPACES } from './namespaces.js';
export { DEFAULT_READONLY_PATHS, defaultMaskedPaths } from './hidden-paths.js';
export { parseSignal, SIGNAL_NUMBERS, signalName, type SignalName } from './signals.js';
