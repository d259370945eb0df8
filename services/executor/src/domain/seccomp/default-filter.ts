import { CAPABILITY_NUMBERS, type CapabilityName } from '@teu/container-defaults';
import { BpfProgram, type Label } from './bpf-program.js';
import { toRanges, writeSearch } from './decision-tree.js';
import * as rules from './default-rules.js';
import { NEWEST_SYSCALL, syscallTable, type SyscallAbi } from './syscalls/syscall-table.js';
import { X32_BIT } from './syscalls/x32.js';

/** seccomp(2) actions; the errno is in the low 16 bits. */
const KILL_PROCESS = 0x80000000;
const ERRNO = 0x00050000;
const ALLOW = 0x7fff0000;
const EPERM = 1;
const ENOSYS = 38;

/** Offsets in struct seccomp_data; of an argument its low half, little endian. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const FIRST_ARGUMENT_AT = 16;

/** AUDIT_ARCH_* (linux/audit.h). */
const AUDIT_ARCH_X86_64 = 0xc000003e;
const AUDIT_ARCH_I386 = 0x40000003;
const AUDIT_ARCH_AARCH64 = 0xc00000b7;

/** Machines that filters can be made for, by Node's names. */
export type Machine = 'x64' | 'arm64';

/** Capabilities that change the filter; all others leave it as it is. */
const RELEVANT_CAPABILITIES = (Object.keys(rules.SYSCALLS_BY_CAPABILITY) as CapabilityName[])
  .map((name) => 1n << BigInt(CAPABILITY_NUMBERS[name]))
  .reduce((mask, bit) => mask | bit, 0n);

const compiled = new Map<bigint, Uint8Array>();

/**
 * The default filter for a process with these capabilities in its bounding set (bit N is capability N). Compiled once
 * per set that makes a difference (about 2 ms), then kept.
 * @returns an array of struct sock_filter
 */
export function defaultFilter(bounding: bigint, machine: Machine): Uint8Array {
  const key = bounding & RELEVANT_CAPABILITIES;
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const made = compileDefaultFilter(key, machine);
  compiled.set(key, made);
  return made;
}

/** The same without the memory. */
export function compileDefaultFilter(bounding: bigint, machine: Machine): Uint8Array {
  const program = new BpfProgram();
  if (machine === 'arm64') {
    const aarch64 = program.load(NUMBER_AT, writeAbi(program, 'aarch64', bounding));
    writeArchitectures(program, [[AUDIT_ARCH_AARCH64, aarch64]]);
    return program.toBytes();
  }
  const i386 = program.load(NUMBER_AT, writeAbi(program, 'i386', bounding));
  const x32 = writeAbi(program, 'x32', bounding);
  const x86 = writeAbi(program, 'x86_64', bounding);
  const either = program.load(NUMBER_AT, program.ifAtLeast(X32_BIT, x32, x86));
  writeArchitectures(program, [
    [AUDIT_ARCH_I386, i386],
    [AUDIT_ARCH_X86_64, either],
  ]);
  return program.toBytes();
}

/** A call in the convention of an architecture that has no entry ends the process: its number means nothing here. */
function writeArchitectures(program: BpfProgram, entries: readonly [number, Label][]): void {
  let next = program.end(KILL_PROCESS);
  for (const [architecture, entry] of entries) next = program.ifEqual(architecture, entry, next);
  program.load(ARCHITECTURE_AT, next);
}

/** Writes the decision for one table of numbers; the number must be loaded when it begins. */
function writeAbi(program: BpfProgram, abi: SyscallAbi, bounding: bigint): Label {
  const refuse = program.end(ERRNO | EPERM);
  const unknown = program.end(ERRNO | ENOSYS);
  const allowed = allowedNames(bounding);
  const special = writeArgumentChecks(program, allowed);
  const allow = program.end(ALLOW);
  const decisions = new Map<number, Label>();
  for (const [name, number] of syscallTable(abi)) {
    decisions.set(number, allowed.has(name) ? allow : (special.get(name) ?? refuse));
  }
  const ranges = toRanges(decisions, refuse, NEWEST_SYSCALL + 1, unknown);
  const base = abi === 'x32' ? X32_BIT : 0;
  return writeSearch(
    program,
    ranges.map(({ from, target }) => ({ from: from + base, target })),
  );
}

function allowedNames(bounding: bigint): Set<string> {
  const groups = Object.values(rules.ALLOWED_SYSCALLS);
  for (const [capability, names] of Object.entries(rules.SYSCALLS_BY_CAPABILITY)) {
    const bit = 1n << BigInt(CAPABILITY_NUMBERS[capability as CapabilityName]);
    if ((bounding & bit) !== 0n) groups.push(names);
  }
  return new Set(groups.flatMap((names) => names.split(/\s+/)));
}

/**
 * Calls that are allowed or not by an argument. Only its low half is looked at: the kernel takes these as 32-bit
 * values, so a high half that makes them look different must not make a difference.
 */
function writeArgumentChecks(
  program: BpfProgram,
  allowed: ReadonlySet<string>,
): Map<string, Label> {
  const refuse = program.end(ERRNO | EPERM);
  const allow = program.end(ALLOW);
  const checks = new Map<string, Label>();
  checks.set('personality', firstArgumentIn(program, rules.ALLOWED_PERSONALITIES, allow, refuse));
  checks.set('socket', firstArgumentIn(program, rules.REFUSED_SOCKET_FAMILIES, refuse, allow));
  if (allowed.has('clone')) return checks;
  const isPlain = program.ifAnyBit(rules.NAMESPACE_CLONE_FLAGS, refuse, allow);
  checks.set('clone', program.load(FIRST_ARGUMENT_AT, isPlain));
  // Its flags are behind a pointer, which a filter can't follow; C libraries fall back to clone.
  checks.set('clone3', program.end(ERRNO | ENOSYS));
  return checks;
}

function firstArgumentIn(
  program: BpfProgram,
  values: readonly number[],
  yes: Label,
  no: Label,
): Label {
  const first = values.reduce((next, value) => program.ifEqual(value, yes, next), no);
  return program.load(FIRST_ARGUMENT_AT, first);
}
