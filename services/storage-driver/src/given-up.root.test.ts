import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { Kind } from '@teu/proto/snapshots';
import { createSnapshot, openSnapshots, type SnapshotPlace } from '@teu/snapshots';
import { openStore } from '@teu/state';
import { requires, tempDir } from '@teu/testing';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkVfsHost } from './drivers/vfs/check-host.js';
import { VfsDriver } from './drivers/vfs/vfs-driver.js';

/** A driver that takes its time, while its caller loses patience. */
class SlowDriver extends VfsDriver {
  whileCreating: () => void = () => undefined;

  override async create(place: SnapshotPlace): Promise<void> {
    await super.create(place);
    this.whileCreating();
  }
}

describe.runIf(requires('root'))('a caller that gives up', () => {
  it('leaves no snapshot behind that it cannot know of', async () => {
    using directory = tempDir();
    const root = directory.path;
    const driver = new SlowDriver(root, await checkVfsHost(root));
    const store = openStore({ path: join(root, 'state.db'), migrations: [], role: 'vfs' });
    const snapshots = await openSnapshots({ store, driver, root, log: silentLogger });
    const wanted = { kind: Kind.ACTIVE, key: 'a', parent: '', labels: {} } as const;
    const caller = new AbortController();
    driver.whileCreating = () => {
      caller.abort(teuError('CANCELLED', 'the caller gave the call up'));
    };
    await expect(createSnapshot(snapshots, { ...wanted, caller })).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
    expect(snapshots.records.find('a')).toBeUndefined();
    await snapshots.finishReclaim();
    expect(readdirSync(join(root, 'l'))).toEqual([]);

    driver.whileCreating = () => undefined;
    await createSnapshot(snapshots, { ...wanted, caller: new AbortController() });
    expect(snapshots.records.find('a')).toBeDefined();
    await snapshots.close();
    store.close();
  });
});
