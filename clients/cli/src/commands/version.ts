import { EngineServiceService, GetVersionResponse } from '@teu/proto/engine';
import type { Command } from '../command.js';
import { clientVersion } from '../config.js';
import type { Context } from '../context.js';
import { formatOption, jsonDocument, wantsJson } from '../output/json.js';

async function engineVersion(context: Context): Promise<GetVersionResponse | undefined> {
  try {
    return await context.services.engine.unary(
      EngineServiceService.getVersion,
      {},
      { timeoutMs: 3000, signal: context.abort },
    );
  } catch {
    // The client's own version is worth telling without an engine too.
    return undefined;
  }
}

export const version: Command = {
  name: 'version',
  group: 'engine',
  summary: 'Tell the versions of client and engine',
  usage: '',
  options: [formatOption],
  arguments: { min: 0, max: 0 },
  completes: 'nothing',
  examples: [],
  async run({ context, options }) {
    const engine = await engineVersion(context);
    if (wantsJson(options)) {
      await context.stdout.write(
        jsonDocument({
          client: { version: clientVersion, nodeVersion: process.versions.node },
          engine: engine === undefined ? null : GetVersionResponse.toJSON(engine),
        }),
      );
      return 0;
    }
    const lines = [`client  ${clientVersion} (Node ${process.versions.node})`];
    if (engine === undefined) {
      lines.push('engine  not reachable; start it with: teu up --detach');
    } else {
      lines.push(
        `engine  ${engine.version} (API ${engine.apiVersion}, ${engine.platform}, Linux ${engine.kernelRelease})`,
      );
    }
    await context.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  },
};
