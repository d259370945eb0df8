export { CONFORMANCE_CASES } from './cases/index.js';
export type { CaseContext, ConformanceCase } from './conformance-case.js';
export {
  describeSnapshotDriver,
  type DriverSuite,
  type DriverUnderTest,
  type OpenDriver,
} from './describe-driver.js';
export { mountSnapshot, unmountSnapshot } from './mount-snapshot.js';
export { SnapshotsClient } from './snapshots-client.js';
export {
  describeDriverOnFailingDisk,
  type FailingDiskSuite,
} from './recovery/describe-failing-disk.js';
export {
  describeChangeRecovery,
  type ChangeRecoverySuite,
} from './recovery/describe-change-recovery.js';
export { describeDriverRecovery, type RecoverySuite } from './recovery/describe-recovery.js';
export {
  directoryPlace,
  serviceOf,
  type DriverPlace,
  type StartTested,
  type TestedService,
} from './recovery/tested-service.js';
export { expectSound, makeFiles, withTree } from './recovery/expect-sound.js';
export type { DeclaredTraits, DriverTraits } from './driver-traits.js';
