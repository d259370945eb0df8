import { BaseServiceService } from '@teu/proto/engine';
import type { Command } from '../../command.js';
import { formatOption } from '../../output/json.js';
import { printSteps } from './upgrade-steps.js';

export const undoUpgrade: Command = {
  name: 'image undo-upgrade',
  group: 'images',
  summary: 'Put all that an upgrade of a base has moved back; what containers wrote stays',
  usage: 'UPGRADE',
  options: [formatOption],
  arguments: { min: 1, max: 1 },
  completes: 'upgrades',
  failureCode: 125,
  examples: [
    { command: 'teu image undo-upgrade 3f2a', meaning: 'ids are told by: teu image upgrades' },
  ],
  run(invocation) {
    const { context, args } = invocation;
    const [upgradeId = ''] = args;
    const answers = context.services.engine.serverStream(
      BaseServiceService.undoBaseUpgrade,
      { upgradeId },
      { signal: context.abort },
    );
    return printSteps(invocation, `Undoing ${upgradeId}`, answers, true);
  },
};
