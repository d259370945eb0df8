export { CONFORMANCE_CASES } from './cases/index.js';
export type { CaseContext, ConformanceCase } from './conformance-case.js';
export {
  describeSnapshotDriver,
  type DriverSuite,
  type DriverUnderTest,
} from './describe-driver.js';
export { mountSnapshot, unmountSnapshot } from './mount-snapshot.js';
export { SnapshotsClient } from './snapshots-client.js';
