import { CliError } from '../cli-error.js';
import type { Command } from '../command.js';
import { completionScripts } from '../output/completion-scripts.js';

export const completion: Command = {
  name: 'completion',
  group: 'engine',
  summary: 'Print a script that completes commands in a shell',
  usage: 'bash|zsh|fish',
  options: [],
  arguments: { min: 1, max: 1 },
  completes: 'nothing',
  examples: [
    { command: 'source <(teu completion bash)', meaning: 'in ~/.bashrc' },
    { command: 'source <(teu completion zsh)', meaning: 'in ~/.zshrc' },
    { command: 'teu completion fish | source', meaning: 'in config.fish' },
  ],
  async run({ context, args }) {
    const shell = args[0] ?? '';
    const script = completionScripts[shell];
    if (script === undefined) {
      throw new CliError(`there is no completion for "${shell}"`, {
        hint: `there is for ${Object.keys(completionScripts).join(', ')}`,
      });
    }
    await context.stdout.write(script);
    return 0;
  },
};
