import { tempDir } from '@teu/testing';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkHost, checkKernel, checkOverlayKnown } from './check-host.js';

const unsupported = expect.objectContaining({ reason: 'DRIVER_UNSUPPORTED' }) as Error;

describe('what overlay2 needs of a host', () => {
  it.each(['4.19.0-27-amd64', '5.10.0', '6.18.44-fc', '10.0'])('takes Linux %s', (version) => {
    expect(() => checkKernel(version)).not.toThrow();
  });

  it.each(['4.18.0', '3.10.0-1160.el7', ''])('refuses Linux %s', (version) => {
    expect(() => checkKernel(version)).toThrow(unsupported);
  });

  it('wants the kernel to know overlay', () => {
    expect(() => checkOverlayKnown('nodev\ttmpfs\nnodev\toverlay\n')).not.toThrow();
    expect(() => checkOverlayKnown('nodev\ttmpfs\nnodev\toverlayfs\n')).toThrow(unsupported);
  });

  it('names the file system below and leaves nothing behind', async () => {
    using directory = tempDir();
    expect(await checkHost(directory.path)).toMatch(/^[a-z0-9]+$/);
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('refuses a path that cannot be said in mount options', async () => {
    using directory = tempDir();
    const odd = join(directory.path, 'a:b');
    mkdirSync(odd);
    await expect(checkHost(odd)).rejects.toEqual(unsupported);
  });
});
