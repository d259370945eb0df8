import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holdFile, requires, tempDir } from './index.js';

describe.runIf(requires('python3'))('holdFile', () => {
  it('tells of whoever wants the file, and lets them go on when it is released', async () => {
    using directory = tempDir();
    const path = join(directory.path, 'file');
    writeFileSync(path, 'content');
    await using held = await holdFile(path);
    const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const read = once(reader.stdout, 'data');
    await held.wanted;
    expect(reader.stdout.readableLength).toBe(0);
    await held.release();
    expect(String(await read)).toBe('content');
  });

  it('fails for what cannot be held', async () => {
    await expect(holdFile('/nonexistent')).rejects.toThrow('nobody holds');
  });
});
