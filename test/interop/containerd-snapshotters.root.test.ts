import { Capability } from '@teu/proto/storage';
import { connect } from '@teu/rpc';
import {
  describeSnapshotDriver,
  type DeclaredTraits,
  type DriverUnderTest,
  type OpenDriver,
} from '@teu/snapshot-conformance';
import { startContainerd, startService } from '@teu/testing';

/** Debian's containerd is 1.6, which gives no status to some mistakes of callers. */
const WITHOUT_STATUS = {
  'empty-keys': 'UNKNOWN instead of INVALID_ARGUMENT',
  'malformed-filters': 'UNKNOWN instead of INVALID_ARGUMENT',
};

const OVERLAY: DeclaredTraits = {
  capabilities: [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_SHARED_PAGE_CACHE,
    Capability.CAPABILITY_XATTRS,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
    Capability.CAPABILITY_ALL_NAMES,
  ],
  maxLayerCount: 128,
};

const openContainerd: OpenDriver = () => openThrough({});

/** Containerd keeps records of its own, and asks the driver behind them. */
const openOverlay2ThroughContainerd: OpenDriver = async () => {
  const service = await startService('overlay2');
  const opened = await openThrough({ overlay2: service.address });
  return {
    channel: opened.channel,
    close: async () => {
      await opened.close();
      await service.stop();
    },
  };
};

async function openThrough(snapshotters: Record<string, string>): Promise<DriverUnderTest> {
  const containerd = await startContainerd({ snapshotters });
  const headers = { 'containerd-namespace': containerd.namespace };
  const channel = connect(containerd.address, { headers });
  return {
    channel,
    close: async () => {
      channel.close();
      await containerd.stop();
    },
  };
}

describeSnapshotDriver('overlayfs', {
  features: ['overlayfs', 'containerd'],
  open: openContainerd,
  client: { keepFromGarbage: true },
  declared: OVERLAY,
  stacks: 8,
  differs: {
    ...WITHOUT_STATUS,
    'root-permissions': 'the root of a snapshot has the owner of its parent’s, but not its mode',
  },
});

describeSnapshotDriver('native', {
  features: ['containerd'],
  open: openContainerd,
  client: { keepFromGarbage: true },
  declared: {
    capabilities: [
      Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS,
      Capability.CAPABILITY_XATTRS,
      Capability.CAPABILITY_EXACT_ATTRIBUTES,
      Capability.CAPABILITY_ALL_NAMES,
    ],
    maxLayerCount: 64,
  },
  stacks: 8,
  differs: {
    ...WITHOUT_STATUS,
    'views-cannot-be-committed': 'UNKNOWN instead of FAILED_PRECONDITION',
    'hard-links': 'two names of a pipe become two pipes',
    'sparse-files': 'holes are filled',
  },
});

describeSnapshotDriver('overlay2 through containerd', {
  features: ['overlayfs', 'containerd'],
  open: openOverlay2ThroughContainerd,
  snapshotter: 'overlay2',
  client: { keepFromGarbage: true },
  declared: OVERLAY,
  stacks: 8,
  differs: {
    ...WITHOUT_STATUS,
    'long-keys': 'a key of 4096 bytes has its namespace and a number before it',
  },
});
