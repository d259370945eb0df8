const EPERM = 1;
const BPF_LD_W_ABS = 0x20;
const BPF_JEQ_K = 0x15;
const BPF_RET_K = 0x06;
const SECCOMP_RET_ALLOW = 0x7fff0000;
const SECCOMP_RET_ERRNO = 0x00050000;

/** x86_64 and aarch64 numbers; mkdir has no number of its own on the latter. */
const NUMBERS: Record<string, Record<string, number>> = {
  x64: { mkdir: 83, mkdirat: 258 },
  arm64: { mkdirat: 34 },
};

/** A filter that answers EPERM to the named system calls and allows all others. */
export function denySystemCalls(...names: string[]): Uint8Array {
  const table = NUMBERS[process.arch] ?? {};
  const numbers = names.flatMap((name) => table[name] ?? []);
  const instructions: [number, number, number, number][] = [
    [BPF_LD_W_ABS, 0, 0, 0],
    ...numbers.map((number, index): [number, number, number, number] => [
      BPF_JEQ_K,
      numbers.length - index,
      0,
      number,
    ]),
    [BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW],
    [BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | EPERM],
  ];
  const filter = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, jumpTrue, jumpFalse, value], index) => {
    filter.writeUInt16LE(code, index * 8);
    filter.writeUInt8(jumpTrue, index * 8 + 2);
    filter.writeUInt8(jumpFalse, index * 8 + 3);
    filter.writeUInt32LE(value, index * 8 + 4);
  });
  return filter;
}
