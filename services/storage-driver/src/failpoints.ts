import { defineFailpoints } from '@teu/failpoint';

/** Places where a test can make a driver fail; the test of recovery crashes at each. */
export const FAILPOINTS = defineFailpoints('storage', [
  'storage.create.after-storage',
  'storage.create.after-row',
  'storage.commit.after-persist',
  'storage.commit.after-row',
  'storage.remove.after-row',
  'storage.remove.after-discard',
  'storage.recover.after-remake',
  'storage.seal.after-write',
  'storage.seal.after-rename',
  'storage.seal.after-row',
  'storage.discards.after-sync',
  'storage.restore.after-row',
  'storage.reparent.after-row',
  'storage.replace.after-persist',
  'storage.replace.after-row',
  'storage.merge.after-intent',
  'storage.merge.after-storage',
  'storage.merge.after-row',
]);
