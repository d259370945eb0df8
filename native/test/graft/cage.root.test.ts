import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '../support/wait-until.js';
import { graftProgram, Trees } from './graft-program.js';

const MS_BIND = '4096';
// DAC_OVERRIDE, SYS_ADMIN (linux/capability.h: 1, 21).
const READING = '0000000000200002';

describe.runIf(process.getuid?.() === 0)('the cage of teu-graft', () => {
  let trees: Trees;
  let child: ChildProcess;

  beforeEach(() => {
    trees = new Trees(graftProgram('plain'));
  });
  afterEach(() => {
    child.kill('SIGKILL');
    trees[Symbol.dispose]();
  });

  const status = (name: string): string =>
    new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(
      readFileSync(`/proc/${child.pid}/status`, 'utf8'),
    )?.[1] ?? '';

  it('has the trees alone, for reading, few rights, and nobody to talk to', async () => {
    // It prints more than a pipe or a socket holds, and nobody reads: it stays where it is.
    trees.sh('seq -f a-name-that-is-not-short-%g 1 20000 | xargs touch', 'changed');
    const mount = (name: string) => [
      '--tree',
      name,
      '--mount',
      'bind',
      trees.at(name),
      '',
      MS_BIND,
      '',
    ];
    const args = ['compare', '--cage', trees.at('cage'), ...mount('old'), ...mount('changed')];
    child = spawn(graftProgram('plain'), args, { stdio: ['ignore', 'pipe', 'pipe'], env: {} });
    const proc = `/proc/${child.pid}`;
    await waitUntil(() => status('Seccomp') === '2' && status('State') === 'S', 'rest in the cage');
    expect(readdirSync(`${proc}/root`)).toEqual(['changed', 'old']);
    const mounts = readFileSync(`${proc}/mountinfo`, 'utf8').trim().split('\n');
    expect(mounts.map((line) => line.split(' ').slice(4, 6).join(' '))).toEqual([
      expect.stringMatching(/^\/ ro,nosuid,nodev,noexec/),
      expect.stringMatching(/^\/old ro,nosuid,nodev,noexec/),
      expect.stringMatching(/^\/changed ro,nosuid,nodev,noexec/),
    ]);
    for (const space of ['mnt', 'net', 'ipc', 'uts']) {
      expect(readlinkSync(`${proc}/ns/${space}`)).not.toBe(readlinkSync(`/proc/self/ns/${space}`));
    }
    expect(status('NoNewPrivs')).toBe('1');
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) {
      expect([set, status(set)]).toEqual([set, READING]);
    }
    const open = readdirSync(`${proc}/fd`).map((fd) => readlinkSync(`${proc}/fd/${fd}`));
    const expected = /^(\/dev\/null|pipe:.*|socket:.*|\/old|\/changed)$/;
    expect(open.filter((path) => !expected.test(path))).toEqual([]);
  });
});
