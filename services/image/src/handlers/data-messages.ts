import { Buffer } from 'node:buffer';

// A pipe gives 64 KiB at a time; a message costs the same whatever its size.
const MESSAGE_BYTES = 512 * 1024;

/** Gathers what a stream gives into messages of about half a MiB, never more than 1 MiB. The stream waits for its reader. */
export async function* inMessages(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void, undefined> {
  let gathered: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    gathered.push(chunk);
    size += chunk.length;
    if (size < MESSAGE_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(gathered);
}
