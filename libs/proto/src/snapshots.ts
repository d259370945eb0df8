export * from './gen/containerd/types/mount.js';
export * from './gen/containerd/services/snapshots/v1/snapshots.js';
