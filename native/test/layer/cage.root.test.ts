import { spawn, type ChildProcess } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { layerProgram } from './layer-tree.js';
import { member } from './tar-builder.js';

const MS_BIND = '4096';
const HUGE_BYTES = 2 ** 32;
// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP (linux/capability.h: 0, 1, 3, 4, 27, 31).
const KEPT_CAPABILITIES = '000000008800001b';

describe('the cage of teu-layer', () => {
  let directory: string;
  let child: ChildProcess;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'teu-cage-'));
  });

  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });

  const status = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(
      readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    )?.[1] ?? '';

  /** Stops the program in the middle of a layer that it could go on writing for long. */
  async function stopInside(): Promise<void> {
    for (const name of ['cage', 'tree']) mkdirSync(join(directory, name));
    const blob = openSync(join(directory, 'layer.tar'), 'w+');
    const [header = Buffer.alloc(0)] = member({ name: 'huge', size: HUGE_BYTES });
    writeSync(blob, header);
    ftruncateSync(blob, header.length + HUGE_BYTES);
    const mount = ['--mount', 'bind', join(directory, 'tree'), '', MS_BIND, ''];
    const cage = ['--cage', join(directory, 'cage')];
    child = spawn(layerProgram('plain'), ['apply', '--blob-fd', '3', ...cage, ...mount], {
      stdio: ['ignore', 'pipe', 'pipe', blob],
      env: {},
    });
    closeSync(blob);
    await waitUntil(() => status('Seccomp') === '2', 'the cage');
    child.kill('SIGSTOP');
  }

  it('has the layer for a root, few rights, and nobody to talk to', async () => {
    await stopInside();
    const proc = `/proc/${child.pid}`;
    expect(readdirSync(`${proc}/root`)).toEqual(readdirSync(join(directory, 'tree')));
    expect(readFileSync(`${proc}/mountinfo`, 'utf8').trim().split('\n')).toHaveLength(1);
    expect(readFileSync(`${proc}/mountinfo`, 'utf8')).toMatch(/ \/ rw,nosuid,nodev,noexec/);
    for (const space of ['mnt', 'net', 'ipc', 'uts']) {
      expect(readlinkSync(`${proc}/ns/${space}`)).not.toBe(readlinkSync(`/proc/self/ns/${space}`));
    }
    expect(status('NoNewPrivs')).toBe('1');
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) {
      expect([set, status(set)]).toEqual([set, KEPT_CAPABILITIES]);
    }
    expect(status('CapInh')).toMatch(/^0+$/);
    expect(readFileSync(`${proc}/limits`, 'utf8')).toMatch(/Max address space +1073741824 /);
    expect(readFileSync(`${proc}/limits`, 'utf8')).toMatch(/Max core file size +0 /);
    const open = readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`));
    const expected = [/^\/dev\/null$/, /^pipe:|^socket:/, /layer\.tar/, /^\/$/, /\/huge$/];
    expect(open.filter((path) => !expected.some((known) => known.test(path)))).toEqual([]);
  });
});
