import {
  describeDriverOnFailingDisk,
  describeDriverRecovery,
  serviceOf,
} from '@teu/snapshot-conformance';
import { LIFECYCLE_FAILPOINTS } from '../../testing/lifecycle-failpoints.js';

const start = serviceOf('vfs');

describeDriverRecovery('vfs', { start, failpoints: LIFECYCLE_FAILPOINTS });
describeDriverOnFailingDisk('vfs', { start });
