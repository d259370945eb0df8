/** Appends little-endian values to one growing buffer. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(8 * 1024);
  #length = 0;

  u32(value: number): void {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value, this.#length);
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.#length);
  }

  /** Length, bytes, and padding to the next multiple of 8. */
  bytes(value: Uint8Array): void {
    const padded = (value.length + 7) & ~7;
    this.u32(value.length);
    this.align();
    this.#reserve(padded);
    this.#bytes.set(value, this.#length);
    this.#bytes.fill(0, this.#length + value.length, this.#length + padded);
    this.#length += padded;
  }

  /** Length without the NUL, the UTF-8 text, a NUL. */
  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.u32(size);
    this.#reserve(size + 1);
    this.#length += this.#bytes.write(value, this.#length);
    this.#length = this.#bytes.writeUInt8(0, this.#length);
  }

  patchU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  get length(): number {
    return this.#length;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  align(): void {
    const padding = -this.#length & 7;
    this.#reserve(padding);
    this.#bytes.fill(0, this.#length, this.#length + padding);
    this.#length += padding;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
