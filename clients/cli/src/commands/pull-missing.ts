import { isTeuError } from '@teu/errors';
import type { ContainerSpec } from '@teu/proto/engine';
import { ImageServiceService } from '@teu/proto/image';
import type { Invocation } from '../command.js';
import type { OptionSpec } from '../options/parse-options.js';
import { pullOne } from '../registry/pull-one.js';

/** The option of commands that make containers. */
export const pullOption: OptionSpec = {
  name: 'pull',
  kind: 'value',
  value: 'WHEN',
  choices: ['missing', 'always', 'never'],
  doc: 'when to bring the image from its registry; missing if not given',
};

/**
 * Does something with an image, which is pulled first if it has to be. Whether it is missing is asked only of the attempt
 * itself, which is the quickest if it is there; input that an attempt would have read is asked for afterwards.
 */
export async function withImage<T>(
  { context, options }: Invocation,
  { image, driver, stdinOpen }: Pick<ContainerSpec, 'image' | 'driver' | 'stdinOpen'>,
  work: () => Promise<T>,
): Promise<T> {
  const pull = async (): Promise<T> => {
    const format = 'people';
    const output = context.stderr;
    await pullOne(context, { reference: image, platform: undefined, driver, output, format });
    return work();
  };
  const when = options.value('pull') ?? 'missing';
  if (when === 'never') return work();
  if (when === 'always') return pull();
  const announce = async (error: unknown): Promise<void> => {
    const isMissing = isTeuError(error, 'IMAGE_NOT_FOUND') && !isId(image);
    if (!isMissing) throw error;
    await context.stderr.write(`Unable to find image '${image}' locally\n`);
  };
  try {
    if (!stdinOpen) return await work();
    const { getImage } = ImageServiceService;
    await context.services.image.unary(getImage, { reference: image }, { signal: context.abort });
  } catch (error) {
    await announce(error);
    return pull();
  }
  return work();
}

/** What is written like an id is the name of no repository that somebody meant to pull. */
function isId(reference: string): boolean {
  return /^sha256:|^[0-9a-f]{64}$/.test(reference);
}
