/** One struct sock_filter (linux/filter.h). */
interface Instruction {
  code: number;
  k: number;
  jt: number;
  jf: number;
}

/** A place in a program that is already written, counted from its end. */
export type Label = number;

const LD_W_ABS = 0x20;
const JMP_JA = 0x05;
const JMP_JEQ_K = 0x15;
const JMP_JGE_K = 0x35;
const JMP_JSET_K = 0x45;
const RET_K = 0x06;
const LONGEST_JUMP = 255;

/**
 * Classic BPF jumps only forwards, so a program is written from its last instruction to its first: then each jump
 * knows its target. A conditional jump reaches 255 instructions; one that goes further gets a stepping stone.
 */
export class BpfProgram {
  /** In reverse: the first element is the last instruction. */
  readonly #reversed: Instruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Loads 32 bits of struct seccomp_data, then goes to `next`. */
  load(byteOffset: number, next: Label): Label {
    if (this.#distance(next) > 0) {
      this.#add({ code: JMP_JA, k: this.#distance(next), jt: 0, jf: 0 });
    }
    return this.#add({ code: LD_W_ABS, k: byteOffset, jt: 0, jf: 0 });
  }

  /** Goes to `yes` if the loaded word equals `value`, else to `no`. */
  ifEqual(value: number, yes: Label, no: Label): Label {
    return this.#branch(JMP_JEQ_K, value, yes, no);
  }

  /** Goes to `yes` if the loaded word is at least `value` (unsigned), else to `no`. */
  ifAtLeast(value: number, yes: Label, no: Label): Label {
    return this.#branch(JMP_JGE_K, value, yes, no);
  }

  /** Goes to `yes` if the loaded word has any bit of `mask`, else to `no`. */
  ifAnyBit(mask: number, yes: Label, no: Label): Label {
    return this.#branch(JMP_JSET_K, mask, yes, no);
  }

  /** Ends with a seccomp action; a recent instruction that says the same is used again. */
  end(action: number): Label {
    const known = this.#returns.get(action);
    if (known !== undefined && this.#reversed.length - known < LONGEST_JUMP / 2) return known;
    const label = this.#add({ code: RET_K, k: action, jt: 0, jf: 0 });
    this.#returns.set(action, label);
    return label;
  }

  /** The finished program as an array of struct sock_filter in little-endian order, to be entered at its beginning. */
  toBytes(): Uint8Array {
    const bytes = Buffer.alloc(8 * this.#reversed.length);
    [...this.#reversed].reverse().forEach(({ code, jt, jf, k }, index) => {
      bytes.writeUInt16LE(code, 8 * index);
      bytes.writeUInt8(jt, 8 * index + 2);
      bytes.writeUInt8(jf, 8 * index + 3);
      bytes.writeUInt32LE(k >>> 0, 8 * index + 4);
    });
    return bytes;
  }

  #branch(code: number, k: number, yes: Label, no: Label): Label {
    const steppedNo = this.#within(no, 1);
    const steppedYes = this.#within(yes, 0);
    const jt = this.#distance(steppedYes);
    return this.#add({ code, k, jt, jf: this.#distance(steppedNo) });
  }

  /** A place that leads to `label` and that a jump can reach although `margin` more instructions may come first. */
  #within(label: Label, margin: number): Label {
    if (this.#distance(label) + margin <= LONGEST_JUMP) return label;
    return this.#add({ code: JMP_JA, k: this.#distance(label), jt: 0, jf: 0 });
  }

  /** Instructions that a jump written now would skip to get to `label`. */
  #distance(label: Label): number {
    return this.#reversed.length - 1 - label;
  }

  #add(instruction: Instruction): Label {
    this.#reversed.push(instruction);
    return this.#reversed.length - 1;
  }
}
