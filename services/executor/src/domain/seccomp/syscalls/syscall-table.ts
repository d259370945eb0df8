import { AARCH64_SYSCALLS } from './aarch64.js';
import { I386_SYSCALLS } from './i386.js';
import { SHARED_SYSCALLS } from './shared.js';
import { X32_ABSENT_SYSCALLS, X32_OWN_SYSCALLS } from './x32.js';
import { X86_64_SYSCALLS } from './x86-64.js';

/** System call numbers by name. x32 numbers are without their bit 30. */
export type SyscallTable = ReadonlyMap<string, number>;

/** Tables by the name that the kernel and libseccomp give the architecture. */
export type SyscallAbi = 'x86_64' | 'i386' | 'x32' | 'aarch64';

/** The highest number that the tables know on every architecture; above it is only the future. */
export const NEWEST_SYSCALL = Math.max(...parseTable(SHARED_SYSCALLS).values());

const tables = new Map<SyscallAbi, SyscallTable>();

/** The table of an architecture; made on first use. */
export function syscallTable(abi: SyscallAbi): SyscallTable {
  const known = tables.get(abi);
  if (known !== undefined) return known;
  const made = makeTable(abi);
  tables.set(abi, made);
  return made;
}

function makeTable(abi: SyscallAbi): SyscallTable {
  switch (abi) {
    case 'x86_64':
      return parseTable(X86_64_SYSCALLS + SHARED_SYSCALLS);
    case 'i386':
      return parseTable(I386_SYSCALLS + SHARED_SYSCALLS);
    case 'aarch64':
      return parseTable(AARCH64_SYSCALLS + SHARED_SYSCALLS);
    case 'x32': {
      const table = new Map(syscallTable('x86_64'));
      for (const name of X32_ABSENT_SYSCALLS) table.delete(name);
      for (const [name, number] of parseTable(X32_OWN_SYSCALLS)) table.set(name, number);
      return table;
    }
  }
}

/** Reads lines of a number and the names that begin there: "100 times ptrace" is times 100, ptrace 101. */
function parseTable(text: string): Map<string, number> {
  const table = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [first, ...names] = line.split(' ');
    names.forEach((name, index) => table.set(name, Number(first) + index));
  }
  return table;
}
