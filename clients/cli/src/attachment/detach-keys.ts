const ctrlP = 0x10;
const ctrlQ = 0x11;

/** Finds Ctrl-P Ctrl-Q among keys: docker's sequence to leave a program running. */
export class DetachKeys {
  /** Whether the sequence was pressed. */
  pressed = false;
  #held = false;

  /** Returns what goes to the program: a Ctrl-P is held back until the key after it is known. */
  filter(chunk: Uint8Array): Uint8Array {
    const passed: number[] = [];
    for (const key of chunk) {
      if (this.#held && key === ctrlQ) {
        this.pressed = true;
        break;
      }
      if (this.#held) passed.push(ctrlP);
      this.#held = key === ctrlP;
      if (!this.#held) passed.push(key);
    }
    return Uint8Array.from(passed);
  }
}
