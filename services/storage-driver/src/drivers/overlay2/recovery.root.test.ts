import {
  describeChangeRecovery,
  describeDriverOnFailingDisk,
  describeDriverRecovery,
  serviceOf,
} from '@teu/snapshot-conformance';
import {
  LIFECYCLE_FAILPOINTS,
  REPARENT_FAILPOINTS,
  REPLACE_FAILPOINTS,
} from '../../testing/lifecycle-failpoints.js';

const start = serviceOf('overlay2');

describeDriverRecovery('overlay2', {
  start,
  failpoints: LIFECYCLE_FAILPOINTS,
  features: ['overlayfs'],
});
describeDriverOnFailingDisk('overlay2', { start, features: ['overlayfs'] });
describeChangeRecovery('overlay2', {
  start,
  reparentFailpoints: REPARENT_FAILPOINTS,
  replaceFailpoints: REPLACE_FAILPOINTS,
  features: ['overlayfs'],
});
