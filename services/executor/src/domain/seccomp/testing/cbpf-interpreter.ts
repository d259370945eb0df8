/** What a filter sees of a system call (struct seccomp_data). */
export interface SystemCall {
  architecture: number;
  number: number;
  args?: readonly bigint[];
}

/**
 * Runs a classic BPF program as the kernel does (Documentation/networking/filter.rst), knowing nothing of how it was
 * made. Bounded: the kernel refuses backward jumps, so does this.
 * @returns the 32-bit action, and the number of instructions it took.
 */
export function runFilter(filter: Uint8Array, call: SystemCall): { action: number; steps: number } {
  const program = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const data = encodeCall(call);
  let accumulator = 0;
  let steps = 0;
  for (let at = 0; ; at += 1) {
    steps += 1;
    if (8 * at >= filter.length) throw new RangeError('ran off the end of the filter');
    const code = program.getUint16(8 * at, true);
    const k = program.getUint32(8 * at + 4, true);
    const taken = (condition: boolean) => program.getUint8(8 * at + (condition ? 2 : 3));
    switch (code) {
      case 0x20:
        if (k % 4 !== 0) throw new RangeError(`load from ${k}`);
        accumulator = data.getUint32(k, true);
        break;
      case 0x05:
        at += k;
        break;
      case 0x15:
        at += taken(accumulator === k);
        break;
      case 0x25:
        at += taken(accumulator > k);
        break;
      case 0x35:
        at += taken(accumulator >= k);
        break;
      case 0x45:
        at += taken((accumulator & k) !== 0);
        break;
      case 0x06:
        return { action: k, steps };
      default:
        throw new RangeError(`instruction ${code} is not in this filter's language`);
    }
  }
}

function encodeCall({ architecture, number, args = [] }: SystemCall): DataView {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number >>> 0, true);
  data.setUint32(4, architecture >>> 0, true);
  args.forEach((value, index) =>
    data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, value), true),
  );
  return data;
}
