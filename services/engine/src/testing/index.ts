export { EngineClient, specOf, type SpecPart } from './engine-client.js';
export { FakeCgroup } from './fake-cgroup.js';
export { FakeDriver } from './fake-driver.js';
export { FakeExecutor } from './fake-executor.js';
export { FakeHost, type FakeName } from './fake-host.js';
export { FakeImage } from './fake-image.js';
export { FakeProcess } from './fake-process.js';
