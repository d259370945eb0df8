/**
 * Frames between a supervisor and its clients; the conversation is drawn in src/launch/frames.h, whose numbers these are.
 *
 *   u32 payload length | u16 type | u16 tag | payload        (little endian)
 *
 * A request carries a tag other than 0; its answer (`result` or `statusReply`) carries the same.
 */
export const PROTOCOL_VERSION = 1;
export const FRAME_HEADER_BYTES = 8;
export const MAX_PAYLOAD_BYTES = 32 * 1024;
/** A STDIN frame carries at most this much. */
export const MAX_STDIN_BYTES = 16 * 1024;

export const ClientFrame = {
  start: 1,
  signal: 2,
  stdinOpen: 3,
  stdin: 4,
  stdinClose: 5,
  resize: 6,
  attach: 7,
  detach: 8,
  status: 9,
  startPlanned: 10,
} as const;

export const ServerFrame = {
  hello: 64,
  created: 65,
  started: 66,
  failed: 67,
  exit: 68,
  log: 69,
  logEnd: 70,
  credit: 71,
  result: 72,
  statusReply: 73,
  released: 74,
} as const;

export interface Frame {
  type: number;
  tag: number;
  payload: Buffer;
}

export function encodeFrame(type: number, tag: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt16LE(type, 4);
  frame.writeUInt16LE(tag, 6);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. Throws on a length that no honest peer sends. */
export class FrameSplitter {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and returns the frames that they complete. */
  push(chunk: Buffer): Frame[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`frame of ${length} bytes`);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > bytes.length) break;
      frames.push({
        type: bytes.readUInt16LE(at + 4),
        tag: bytes.readUInt16LE(at + 6),
        payload: bytes.subarray(at + FRAME_HEADER_BYTES, end),
      });
      at = end;
    }
    this.#pending = bytes.subarray(at);
    return frames;
  }
}
