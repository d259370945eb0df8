import { mountSnapshot, SnapshotsClient, unmountSnapshot } from '@teu/snapshot-conformance';
import { requires, startService, tempDir } from '@teu/testing';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

describe.runIf(requires('root', 'overlayfs'))(
  'overlay2 whose directories were tampered with',
  () => {
    it('makes the directories of an active snapshot again, removes what nobody knows, and tells of a layer that is gone', async () => {
      using directory = tempDir();
      const directories = { runDir: join(directory.path, 'r'), dataDir: join(directory.path, 'd') };
      const root = join(directories.dataDir, 'overlay2');
      const first = await startService('overlay2', directories);
      const client = new SnapshotsClient(first.channel, 'overlay2');
      for (const name of ['base', 'lost']) {
        const place = join(directory.path, 'm');
        await mountSnapshot(await client.prepare(`making ${name}`), place);
        writeFileSync(join(place, 'file'), name);
        await unmountSnapshot(place);
        await client.commit(name, `making ${name}`);
      }
      const mounts = await client.prepare('active', 'base');
      await first.stop();
      mkdirSync(join(root, 'l/zz/deep'), { recursive: true });
      mkdirSync(join(root, 'w/zz'));
      rmSync(join(root, 'l/2'), { recursive: true });
      for (const kind of ['l', 'w']) rmSync(join(root, kind, '3'), { recursive: true });

      const again = await startService('overlay2', directories);
      const snapshots = new SnapshotsClient(again.channel, 'overlay2');
      await snapshots.cleanup();
      expect(readdirSync(join(root, 'l'))).toEqual(['1', '3']);
      expect(readdirSync(join(root, 'w')).filter((name) => name !== '2')).toEqual(['1', '3']);
      expect(await snapshots.mounts('active')).toEqual(mounts);
      expect(again.logs()).toContain('the files of a committed snapshot are missing');
      await expect(snapshots.prepare('a', 'lost')).rejects.toMatchObject({ status: 'DATA_LOSS' });
      await snapshots.remove('lost');
      await snapshots.prepare('a', 'base');
      await again.stop();
    });
  },
);
