import { readFileSync } from 'node:fs';
import { CAPABILITY_NUMBERS, DEFAULT_CAPABILITIES } from '@teu/container-defaults';
import { describe, expect, it } from 'vitest';
import { compileDefaultFilter, defaultFilter } from './default-filter.js';
import { ALLOWED_SYSCALLS, SYSCALLS_BY_CAPABILITY } from './default-rules.js';
import { syscallTable, type SyscallAbi } from './syscalls/syscall-table.js';
import { runFilter } from './testing/cbpf-interpreter.js';

const ARCHITECTURES: Record<SyscallAbi, { architecture: number; bit: number }> = {
  x86_64: { architecture: 0xc000003e, bit: 0 },
  i386: { architecture: 0x40000003, bit: 0 },
  x32: { architecture: 0xc000003e, bit: 0x40000000 },
  aarch64: { architecture: 0xc00000b7, bit: 0 },
};
const X86_ABIS = ['x86_64', 'i386', 'x32'] as const;

const bits = (names: readonly (keyof typeof CAPABILITY_NUMBERS)[]) =>
  names.reduce((mask, name) => mask | (1n << BigInt(CAPABILITY_NUMBERS[name])), 0n);
const DOCKER = bits(DEFAULT_CAPABILITIES);
const NAMED_ACTIONS = new Map([
  [0x7fff0000, 'allow'],
  [0x00050001, 'EPERM'],
  [0x00050026, 'ENOSYS'],
  [0x80000000, 'kill'],
]);

function ask(filter: Uint8Array, abi: SyscallAbi, number: number, args: readonly bigint[] = []) {
  const { architecture, bit } = ARCHITECTURES[abi];
  const { action } = runFilter(filter, { architecture, number: number + bit, args });
  return NAMED_ACTIONS.get(action) ?? action.toString(16);
}

function askName(filter: Uint8Array, abi: SyscallAbi, name: string, ...args: bigint[]) {
  const number = syscallTable(abi).get(name);
  if (number === undefined) throw new RangeError(`${abi} has no ${name}`);
  return ask(filter, abi, number, args);
}

const words = (text: string) => text.split(/\s+/);
const UNCONDITIONAL = new Set(Object.values(ALLOWED_SYSCALLS).flatMap(words));
const BY_ARGUMENT = new Set(['personality', 'socket', 'clone']);

describe('the whole table, for Docker’s default capabilities', () => {
  const filter = compileDefaultFilter(DOCKER, 'x64');
  const armFilter = compileDefaultFilter(DOCKER, 'arm64');
  const filterOf = (abi: SyscallAbi) => (abi === 'aarch64' ? armFilter : filter);

  it.each([...X86_ABIS, 'aarch64'] as const)('%s: every known call', (abi) => {
    for (const [name, number] of syscallTable(abi)) {
      if (BY_ARGUMENT.has(name)) continue;
      const allowed = UNCONDITIONAL.has(name) || name === 'chroot';
      const expected = allowed ? 'allow' : name === 'clone3' ? 'ENOSYS' : 'EPERM';
      expect(`${name} ${ask(filterOf(abi), abi, number)}`).toBe(`${name} ${expected}`);
    }
  });

  it.each([...X86_ABIS, 'aarch64'] as const)('%s: numbers that nobody knows', (abi) => {
    const known = new Set(syscallTable(abi).values());
    for (let number = 0; number < 700; number += 1) {
      if (known.has(number)) continue;
      const expected = number > 469 ? 'ENOSYS' : 'EPERM';
      expect(`${number} ${ask(filterOf(abi), abi, number)}`).toBe(`${number} ${expected}`);
    }
  });

  // Named here once more and not taken from the rules, so that a slip in the rules cannot hide.
  it.each(
    words(
      'unshare setns mount umount2 move_mount fsopen fsmount open_tree mount_setattr pivot_root open_by_handle_at bpf ' +
        'perf_event_open init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff acct ' +
        'add_key keyctl request_key userfaultfd io_uring_setup io_uring_enter io_uring_register settimeofday ' +
        'clock_settime sethostname setdomainname iopl ioperm syslog quotactl kcmp pidfd_getfd move_pages nfsservctl ' +
        'vhangup lookup_dcookie fanotify_init',
    ),
  )('refuses %s', (name) => {
    expect(askName(filter, 'x86_64', name)).toBe('EPERM');
  });

  it('answers ENOSYS to -1, which a tracer uses to skip a call', () => {
    expect(ask(filter, 'x86_64', 0xffffffff)).toBe('ENOSYS');
  });

  it('ends a process that calls in the convention of another machine', () => {
    for (const architecture of [0, 0xc00000b7, 0x40000028, 0xffffffff]) {
      const { action } = runFilter(filter, { architecture, number: 1 });
      expect(NAMED_ACTIONS.get(action)).toBe('kill');
    }
  });

  it('decides within 18 steps', () => {
    for (const abi of X86_ABIS) {
      const { architecture, bit } = ARCHITECTURES[abi];
      for (let number = 0; number < 560; number += 1) {
        const { steps } = runFilter(filter, { architecture, number: number + bit });
        expect(steps).toBeLessThanOrEqual(18);
      }
    }
  });
});

describe.each(X86_ABIS)('arguments on %s', (abi) => {
  const filter = compileDefaultFilter(DOCKER, 'x64');

  it('personality: only the harmless ones', () => {
    for (const value of [0x0n, 0x8n, 0x20000n, 0x20008n, 0xffffffffn, -1n]) {
      expect(askName(filter, abi, 'personality', value)).toBe('allow');
    }
    for (const value of [0x1n, 0x9n, 0x0040000n, 0x20001n, 0xfffffffen]) {
      expect(askName(filter, abi, 'personality', value)).toBe('EPERM');
    }
  });

  it('socket: families 0 to 45 but AF_ALG and AF_VSOCK, also with a high half that the kernel ignores', () => {
    for (let family = 0n; family <= 45n; family += 1n) {
      const expected = family === 38n || family === 40n ? 'EPERM' : 'allow';
      for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
        expect(askName(filter, abi, 'socket', family | high)).toBe(expected);
      }
    }
  });

  it('clone: no new namespace', () => {
    const CLONE_THREAD_FLAGS = 0x3d0f00n;
    expect(askName(filter, abi, 'clone', CLONE_THREAD_FLAGS)).toBe('allow');
    expect(askName(filter, abi, 'clone', 17n)).toBe('allow');
    for (const flag of [
      0x20000n,
      0x2000000n,
      0x4000000n,
      0x8000000n,
      0x10000000n,
      0x20000000n,
      0x40000000n,
    ]) {
      expect(askName(filter, abi, 'clone', flag | 17n)).toBe('EPERM');
      expect(askName(filter, abi, 'clone', flag | CLONE_THREAD_FLAGS | (1n << 40n))).toBe('EPERM');
    }
  });
});

describe('capabilities', () => {
  it.each(Object.entries(SYSCALLS_BY_CAPABILITY))(
    '%s opens its calls and no others',
    (name, text) => {
      const bit = bits([name as keyof typeof CAPABILITY_NUMBERS]);
      const without = compileDefaultFilter(0n, 'x64');
      const filter = compileDefaultFilter(bit, 'x64');
      const opened = new Set(words(text));
      for (const abi of X86_ABIS) {
        for (const call of syscallTable(abi).keys()) {
          if (opened.has(call)) expect(askName(filter, abi, call, 0x20000n)).toBe('allow');
          else expect(askName(filter, abi, call)).toBe(askName(without, abi, call));
        }
      }
    },
  );

  it('are refused without: no chroot for the empty set', () => {
    expect(askName(compileDefaultFilter(0n, 'x64'), 'x86_64', 'chroot')).toBe('EPERM');
  });

  it('that make no difference share one compiled filter', () => {
    expect(defaultFilter(bits(['CAP_CHOWN']), 'x64')).toBe(
      defaultFilter(bits(['CAP_KILL']), 'x64'),
    );
  });
});

describe('rules', () => {
  it('name only calls that some table has', () => {
    const tables = ([...X86_ABIS, 'aarch64'] as const).map(syscallTable);
    const named = [...UNCONDITIONAL, ...Object.values(SYSCALLS_BY_CAPABILITY).flatMap(words)];
    // `recv` and `send` have numbers of their own only on architectures that are not here.
    const elsewhere = new Set(['recv', 'send', 'umount']);
    const unknown = named.filter((name) => !tables.some((table) => table.has(name)));
    expect(unknown.filter((name) => !elsewhere.has(name))).toEqual([]);
  });

  it('name no call twice', () => {
    const names = Object.values(ALLOWED_SYSCALLS).flatMap(words);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('fit the kernel’s 4096 instructions with room', () => {
    expect(compileDefaultFilter(DOCKER, 'x64').length / 8).toBeLessThan(600);
  });
});

const HEADERS = '/usr/include/x86_64-linux-gnu/asm';
describe.runIf(process.arch === 'x64')('tables against the kernel headers', () => {
  it.each([
    ['x86_64', 'unistd_64.h'],
    ['i386', 'unistd_32.h'],
    ['x32', 'unistd_x32.h'],
  ] as const)('%s', (abi, file) => {
    const pattern = /^#define __NR_(\w+) \(?(?:__X32_SYSCALL_BIT \+ )?(\d+)\)?$/gm;
    const text = readFileSync(`${HEADERS}/${file}`, 'latin1');
    const table = syscallTable(abi);
    const wrong = [...text.matchAll(pattern)].filter(
      ([, name, number]) => table.get(name ?? '') !== Number(number),
    );
    expect(wrong.map(([line]) => line)).toEqual([]);
  });
});

/** Podman's profile of Debian's golang-github-containers-common: not Docker's, but it should agree on what is safe. */
const PODMAN_PROFILE = '/usr/share/containers/seccomp.json';
describe('against the profile of another engine', () => {
  interface Rule {
    names: string[];
    action: string;
    args?: unknown[];
    includes?: { caps?: string[]; arches?: string[] };
  }
  const { syscalls } = JSON.parse(readFileSync(PODMAN_PROFILE, 'utf8')) as { syscalls: Rule[] };
  const always = syscalls
    .filter((rule) => rule.action === 'SCMP_ACT_ALLOW' && (rule.args ?? []).length === 0)
    .filter((rule) => rule.includes?.caps === undefined && rule.includes?.arches === undefined)
    .flatMap((rule) => rule.names);
  /** Podman lets containers mount and make namespaces in user namespaces of their own; Docker does not. */
  const PODMAN_ALONE = words(
    'clone3 fsconfig fsmount fsopen fspick get_mempolicy keyctl mbind mount mount_setattr move_mount open_tree ' +
      'pidfd_getfd pivot_root readdir reboot set_mempolicy setns sigaction signal sigpending sigsuspend syscall ' +
      'syslog umount umount2 unshare timerfd clone',
  );

  it('allows what Podman allows, but for the known differences', () => {
    const table = syscallTable('x86_64');
    const filter = compileDefaultFilter(DOCKER, 'x64');
    const refused = always.filter(
      (name) => table.has(name) && askName(filter, 'x86_64', name) !== 'allow',
    );
    expect(refused.filter((name) => !PODMAN_ALONE.includes(name))).toEqual([]);
  });
});
