import type { BpfProgram, Label } from './bpf-program.js';

/** From this system call number on, up to the next range, do what `target` says. */
export interface SyscallRange {
  from: number;
  target: Label;
}

/**
 * Turns "what to do with each number" into ranges of equal answers.
 * @param decisions answers by number; @param otherwise answer below `limit` for numbers without one;
 * @param beyond answer from `limit` on.
 */
export function toRanges(
  decisions: ReadonlyMap<number, Label>,
  otherwise: Label,
  limit: number,
  beyond: Label,
): SyscallRange[] {
  const ranges: SyscallRange[] = [];
  const highest = Math.max(limit, ...[...decisions.keys()].map((number) => number + 1));
  for (let number = 0; number <= highest; number += 1) {
    const target = decisions.get(number) ?? (number < limit ? otherwise : beyond);
    if (ranges.at(-1)?.target !== target) ranges.push({ from: number, target });
  }
  return ranges;
}

/**
 * Writes a binary search over the ranges: the kernel checks a filter for each system call number when it is loaded
 * (its cache of constant answers, Linux 5.11), so short ways save more than few instructions.
 * @returns where the search begins; the number must be loaded by then.
 */
export function writeSearch(program: BpfProgram, ranges: readonly SyscallRange[]): Label {
  const [first, second, third] = ranges;
  if (first === undefined) throw new RangeError('a search needs at least one range');
  if (second === undefined) return first.target;
  if (isException(ranges) && third !== undefined) {
    return program.ifEqual(second.from, second.target, first.target);
  }
  const middle = Math.ceil(ranges.length / 2);
  const upper = ranges.slice(middle);
  const right = writeSearch(program, upper);
  const left = writeSearch(program, ranges.slice(0, middle));
  return program.ifAtLeast(upper[0]?.from ?? 0, right, left);
}

/** Three ranges of which the middle one is a single number between equal answers: one comparison will do. */
function isException([first, second, third, ...more]: readonly SyscallRange[]): boolean {
  if (first === undefined || second === undefined || third === undefined) return false;
  return more.length === 0 && first.target === third.target && third.from - second.from === 1;
}
