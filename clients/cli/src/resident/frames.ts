/**
 * The protocol of cli.sock: frames of a length (4 bytes, little-endian), a type (1 byte) and a
 * payload. clients/cli/README.md describes it; native/src/launcher/protocol.h is the other side.
 */
export const protocolVersion = 1;

/** Frames from the launcher. */
export const fromLauncher = {
  hello: 0x01,
  stdin: 0x02,
  stdinEnd: 0x03,
  signal: 0x04,
  resize: 0x05,
} as const;

/** Frames to the launcher. */
export const toLauncher = {
  accepted: 0x81,
  runLocally: 0x82,
  stdinCredit: 0x83,
  stdout: 0x84,
  stderr: 0x85,
  rawMode: 0x86,
  exit: 0x87,
} as const;

const headerBytes = 5;
/** Arguments and environment together may have 6 MiB on Linux (execve(2)). */
const maxPayloadBytes = 8 * 1024 * 1024;

/** One frame. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Header of a frame, to be written before its payload. */
export function frameHeader(type: number, payloadBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(payloadBytes, 0);
  header.writeUInt8(type, 4);
  return header;
}

/** A whole frame. */
export function encodeFrame(type: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  return Buffer.concat([frameHeader(type, payload.length), payload]);
}

/** Payload of one unsigned or signed number of 32 bits. */
export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0, 0);
  return bytes;
}

/** Takes a stream of bytes apart into frames. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * Adds bytes and returns the frames that are whole now.
   * @throws Error if a frame says that it is longer than any can be
   */
  push(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    while (this.#rest.length >= headerBytes) {
      const length = this.#rest.readUInt32LE(0);
      if (length > maxPayloadBytes) throw new Error(`a frame of ${String(length)} bytes`);
      if (this.#rest.length < headerBytes + length) break;
      frames.push({
        type: this.#rest.readUInt8(4),
        payload: this.#rest.subarray(headerBytes, headerBytes + length),
      });
      this.#rest = this.#rest.subarray(headerBytes + length);
    }
    return frames;
  }
}
