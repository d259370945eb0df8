export { clock, type Clock } from './clock.js';
export { hasControlCharacters } from './control-characters.js';
export { randomId } from './random-id.js';
export {
  newContainerId,
  newExecId,
  parseBlobDigest,
  parseCgroupId,
  parseChainId,
  parseContainerId,
  parseContainerName,
  parseDriverName,
  parseExecId,
  parseGroupName,
  parseHostname,
  parseIdPrefix,
  parseImageDigest,
  parseLabelKey,
  parseLabels,
  parseSingleLine,
  parseSnapshotKey,
  containerSnapshotKey,
  nextContainerSnapshotKey,
  type BlobDigest,
  type CgroupId,
  type ChainId,
  type ContainerId,
  type ContainerName,
  type DriverName,
  type ExecId,
  type GroupName,
  type ImageDigest,
  type SnapshotKey,
} from './kinds.js';
export {
  formatImageReference,
  parseImageReference,
  type ImageReference,
} from './image-reference.js';
export { parsePageSize } from './page-size.js';
