export { CONFORMANCE_CASES } from './cases.js';
export type { CaseContext, ConformanceCapability, ConformanceCase } from './conformance-case.js';
export {
  describeSnapshotDriver,
  type DriverSuite,
  type DriverUnderTest,
} from './describe-driver.js';
export { mountSnapshot, unmountSnapshot } from './mount-snapshot.js';
export { SnapshotsClient } from './snapshots-client.js';
