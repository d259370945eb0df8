import { teuError } from '@teu/errors';

/**
 * Takes the first message of a stream, which must be of a certain kind.
 * @throws INVALID_ARGUMENT
 */
export async function takeFirst<P extends { $case: string }, K extends P['$case']>(
  parts: AsyncIterator<{ part?: P | undefined }>,
  kind: K,
): Promise<Extract<P, { $case: K }>> {
  const first = await parts.next();
  const part = first.done === true ? undefined : first.value.part;
  if (part?.$case !== kind) {
    throw teuError('INVALID_ARGUMENT', `the first message of the stream must be ${kind}`, {
      metadata: { field: kind },
    });
  }
  return part as Extract<P, { $case: K }>;
}

/** The messages after the first as what they carry; one of the first kind or of none is refused. */
export async function* remainingParts<P extends { $case: string }, K extends P['$case']>(
  parts: AsyncIterator<{ part?: P | undefined }>,
  kind: K,
): AsyncGenerator<Exclude<P, { $case: K }>, void, undefined> {
  for (;;) {
    const next = await parts.next();
    if (next.done === true) return;
    const { part } = next.value;
    if (part === undefined || part.$case === kind) {
      throw teuError('INVALID_ARGUMENT', `only the first message of the stream is ${kind}`);
    }
    yield part as Exclude<P, { $case: K }>;
  }
}
