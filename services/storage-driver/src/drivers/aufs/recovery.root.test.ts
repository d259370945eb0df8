import {
  describeChangeRecovery,
  describeDriverOnFailingDisk,
  describeDriverRecovery,
  serviceOf,
  type StartTested,
} from '@teu/snapshot-conformance';
import {
  LIFECYCLE_FAILPOINTS,
  MERGE_FAILPOINTS,
  REPARENT_FAILPOINTS,
  REPLACE_FAILPOINTS,
} from '../../testing/lifecycle-failpoints.js';
import { endUnions } from './testing/unions-of.js';

const start = serviceOf('aufs');

/** Unions outlive the service, and not the machine: here, the end of the one is that of the other. */
const startOnMachine: StartTested = async (place, environment) => {
  const service = await start(place, environment);
  const exited = service.exited.then(async (end) => {
    await endUnions(place.dataDir);
    return end;
  });
  return { ...service, exited };
};

describeDriverRecovery('aufs', { start, failpoints: LIFECYCLE_FAILPOINTS, features: ['fuse'] });
describeChangeRecovery('aufs', {
  start,
  reparentFailpoints: REPARENT_FAILPOINTS,
  mergeFailpoints: MERGE_FAILPOINTS,
  replaceFailpoints: REPLACE_FAILPOINTS,
  features: ['fuse'],
});
describeDriverOnFailingDisk('aufs', { start: startOnMachine, features: ['fuse'] });
