import type { Command } from '../command.js';
import { registryOfServer } from '../registry/docker-config.js';
import { forgetLogin } from '../registry/logins.js';

export const logout: Command = {
  name: 'logout',
  group: 'images',
  summary: 'Forget the login at a registry',
  usage: '[SERVER]',
  options: [],
  arguments: { min: 0, max: 1 },
  completes: 'nothing',
  examples: [{ command: 'teu logout registry.example.com', meaning: 'what is pulled stays' }],
  async run({ context, args }) {
    const registry = registryOfServer(args[0] ?? 'docker.io');
    const wasThere = await forgetLogin(context, registry);
    const text = wasThere
      ? `Removing login credentials for ${registry}`
      : `Not logged in to ${registry}`;
    await context.stdout.write(`${text}\n`);
    return 0;
  },
};
