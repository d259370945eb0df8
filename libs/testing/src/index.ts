export { checkExposition, type ExposedSamples } from './check-exposition.js';
export { startNats, type StartNatsOptions, type TestNats } from '@teu/events/testing';
export { holdFile, type HeldFile } from './held-file.js';
export { startKnownWork, type KnownWork, type WorkFacts, type WorkPlace } from './known-work.js';
export {
  expectNoLeaks,
  instanceName,
  leakSnapshot,
  type LeakOptions,
  type LeakSet,
} from './leaks.js';
export { loopFilesystem, type LoopFilesystem } from './loop-filesystem.js';
export { oomReportRoom } from './oom-report-room.js';
export { patient } from './patience.js';
export type { EngineInstance } from './processes.js';
export { requires, type FeatureName } from './requires.js';
export { runProgram, type ProgramResult, type RunOptions } from './run-program.js';
export {
  startContainerd,
  type ContainerdRun,
  type StartContainerdOptions,
  type TestContainerd,
} from './start-containerd.js';
export {
  startService,
  type RunningTestService,
  type StartServiceOptions,
} from './start-service.js';
export { startTeu, type StartTeuOptions, type TestTeu, type TeuPids } from './start-teu.js';
export { tempDir, type TempDir } from './temp-dir.js';
export { startRegistry, type StartRegistryOptions, type TestRegistry } from './start-registry.js';
export { busyboxImageTar, debianRootfsTar, slimDebianRootfsTar } from './test-images.js';
export { waitFor, type WaitOptions } from './wait-for.js';
export { takeZfsTurn } from './zfs-daemon.js';
export { zfsPool, type ZfsPool, type ZfsPoolOptions } from './zfs-pool.js';
