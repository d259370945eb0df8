import { BaseServiceService, PlanBaseUpgradeResponse, UpgradeBaseRequest } from '@teu/proto/engine';
import { CliError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import { ActivityLine } from '../../output/activity-line.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { PlanReport } from './plan-lines.js';
import { printSteps } from './upgrade-steps.js';

async function plan({ context, options, args }: Invocation): Promise<number> {
  const [oldBase = '', newBase = ''] = args;
  const skipFiles = options.flag('no-files');
  const answers = context.services.engine.serverStream(
    BaseServiceService.planBaseUpgrade,
    { oldBase, newBase, skipFiles },
    { signal: context.abort },
  );
  const json = wantsJson(options);
  const report = new PlanReport();
  const activity = new ActivityLine(context.stderr, 'Comparing');
  try {
    for await (const answer of answers) {
      report.add(answer);
      if (json) await context.stdout.write(jsonLine(PlanBaseUpgradeResponse.toJSON(answer)));
    }
  } finally {
    await activity.end();
  }
  if (!report.isWhole) throw new CliError('the engine ended without a summary');
  if (!json) await context.stdout.write(report.text());
  return 0;
}

export const upgradeBase: Command = {
  name: 'image upgrade-base',
  group: 'images',
  summary: 'Put all images and containers that stand on one base on another',
  usage: 'OLD NEW',
  options: [
    { name: 'dry-run', kind: 'flag', doc: 'tell what would happen, and change nothing' },
    {
      ...{ name: 'no-files', kind: 'flag' },
      doc: 'with --dry-run: leave out changed files and conflicts, which take time',
    },
    formatOption,
  ],
  arguments: { min: 2, max: 2 },
  completes: 'images',
  failureCode: 125,
  examples: [
    {
      command: 'teu image upgrade-base debian:12.1 debian:12.2 --dry-run',
      meaning: 'what would be upgraded, when, and what is in the way',
    },
    {
      command: 'teu image upgrade-base debian:12.1 debian:12.2',
      meaning: 'ends with 0, or with 1 if something stays on the old base',
    },
  ],
  run(invocation) {
    const { context, options, args } = invocation;
    if (options.flag('dry-run')) return plan(invocation);
    const [oldBase = '', newBase = ''] = args;
    const answers = context.services.engine.serverStream(
      BaseServiceService.upgradeBase,
      UpgradeBaseRequest.create({ oldBase, newBase }),
      { signal: context.abort },
    );
    return printSteps(invocation, `Upgrading to ${newBase}`, answers, false);
  },
};
