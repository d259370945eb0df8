import { isTeuError } from '@teu/errors';
import { Container, EngineServiceService } from '@teu/proto/engine';
import { Image, ImageServiceService } from '@teu/proto/image';
import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { formatOption, jsonDocument } from '../output/json.js';
import { oomWords } from '../output/oom-words.js';
import { reportError } from '../output/report-error.js';

async function describe(
  context: Context,
  name: string,
  type: string | undefined,
): Promise<unknown> {
  const { engine, image } = context.services;
  const options = { signal: context.abort };
  if (type !== 'image') {
    try {
      const request = { container: name };
      const answer = await engine.unary(EngineServiceService.getContainer, request, options);
      return answer.container === undefined ? undefined : containerDocument(answer.container);
    } catch (error) {
      // An image may have that name.
      if (type === 'container' || !isNotFound(error)) throw error;
    }
  }
  try {
    const answer = await image.unary(ImageServiceService.getImage, { reference: name }, options);
    return answer.image === undefined ? undefined : Image.toJSON(answer.image);
  } catch (error) {
    if (type === 'image' || !isNotFound(error)) throw error;
    throw new CliError(`there is no container and no image called "${name}"`);
  }
}

/** The message, and of a kill for want of memory also what it says in words. */
function containerDocument(container: Container): unknown {
  const json = Container.toJSON(container) as { exit?: object };
  const kill = container.exit?.oomKill;
  return kill === undefined ? json : { ...json, exit: { ...json.exit, oomText: oomWords(kill) } };
}

function isNotFound(error: unknown): boolean {
  // A name that only one kind can have is refused by the other one.
  return isTeuError(error) && (error.status === 'NOT_FOUND' || error.reason === 'INVALID_ID');
}

export const inspect: Command = {
  name: 'inspect',
  group: 'containers',
  summary: 'Describe containers or images in JSON',
  usage: 'NAME...',
  options: [
    {
      ...{ name: 'type', kind: 'value', value: 'TYPE', choices: ['container', 'image'] },
      doc: 'look for one kind only',
    },
    formatOption,
  ],
  arguments: { min: 1 },
  completes: 'containers',
  examples: [{ command: 'teu inspect web | jq .[0].state', meaning: 'one field of it' }],
  async run({ context, options, args }) {
    const found: unknown[] = [];
    let exitCode = 0;
    for (const name of args) {
      try {
        found.push(await describe(context, name, options.value('type')));
      } catch (error) {
        if (context.abort.aborted) throw error;
        await reportError(context, error, inspect);
        exitCode = 1;
      }
    }
    await context.stdout.write(jsonDocument(found));
    return exitCode;
  },
};
