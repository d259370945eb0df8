import { defineFailpoints } from '@teu/failpoint';

/** Places where a test can make the engine end, fail or wait: one after each step that leaves something behind. */
export const ENGINE_FAILPOINTS = defineFailpoints('engine', [
  'engine.create.after-intent',
  'engine.create.after-record',
  'engine.run.after-intent',
  'engine.start.after-intent',
  'engine.start.after-prepare',
  'engine.start.after-cgroup',
  'engine.start.after-launch',
  'engine.start.after-record',
  'engine.warm.after-intent',
  'engine.warm.after-prepare',
  'engine.warm.after-world',
  'engine.driver.after-record',
  'engine.driver.after-release',
  'engine.exit.before-record',
  'engine.exit.after-record',
  'engine.remove.after-record',
  'engine.teardown.after-process',
  'engine.teardown.after-cgroup',
  'engine.teardown.after-snapshot',
]);
