import { installRoot } from '@teu/config';
import { SnapshotsClient } from '@teu/snapshot-conformance';
import { requires, runProgram, startService } from '@teu/testing';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What `npm run conformance` runs. */
const COMMAND = join(installRoot(), 'tools/conformance.mjs');

describe.runIf(requires('root', 'python3'))('npm run conformance', { timeout: 60_000 }, () => {
  let service: Awaited<ReturnType<typeof startService>>;
  beforeAll(async () => {
    service = await startService('vfs');
  });
  afterAll(() => service.stop());

  const run = (...args: string[]) =>
    runProgram(process.execPath, [COMMAND, service.address, ...args]);

  it('reports on a driver at a socket, and leaves nothing in it', async () => {
    const only = ['--only', 'basic', '--only', 'rebase', '--only', 'random-layers'];
    const { code, stdout } = await run(...only, '--stacks', '1', '--seed', 'mine');
    expect(stdout).toMatch(/^declared: .*hard-links-across-layers.*; \d+ layers\nseed: mine\n/);
    expect(stdout).toMatch(/^ok {6}basic \(\d+ ms\)$/m);
    expect(stdout).toContain('-       rebase: not applicable: rebase\n');
    expect(stdout.endsWith('\n2 ok, 0 failed, 1 not applicable\n')).toBe(true);
    expect(code).toBe(0);
    expect(await new SnapshotsClient(service.channel, '').list()).toEqual([]);

    const json = await run('--only', 'list', '--format', 'json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: 1,
      cases: [{ name: 'list', outcome: 'ok' }],
    });
  });

  it('does not have a driver contradicted that declares itself', async () => {
    const { code, stderr } = await run('--capability', 'quota');
    expect(stderr).toBe('the driver declares its capabilities itself, by GetDriver\n');
    expect(code).toBe(1);
  });

  it('explains itself when the arguments are wrong', async () => {
    const { code, stderr } = await run('--only', 'nothing');
    expect(stderr).toContain('no case "nothing"; there are basic,');
    expect(code).toBe(2);
  });
});
