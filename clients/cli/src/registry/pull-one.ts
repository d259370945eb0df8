import {
  DistributionServiceService,
  PullImageRequest,
  PullImageResponse,
  type Platform,
  type PullResult,
} from '@teu/proto/image';
import { CliError, UsageError } from '../cli-error.js';
import type { Context, Output } from '../context.js';
import { jsonLine } from '../output/json.js';
import { pullWords, TransferDisplay } from '../output/transfer-display.js';
import { credentialsFor } from './logins.js';

/** What is to be pulled and how it is shown. */
export interface PullOptions {
  reference: string;
  platform: Platform | undefined;
  driver: string;
  /** Where progress goes; nowhere if absent. */
  output: Output | undefined;
  format: 'people' | 'json';
}

/** Pulls an image and shows how far it is. */
export async function pullOne(context: Context, options: PullOptions): Promise<PullResult> {
  const { reference, platform, driver, output, format } = options;
  const answers = context.services.image.serverStream(
    DistributionServiceService.pullImage,
    PullImageRequest.create({
      ...{ reference, platform, driver },
      credentials: await credentialsFor(context, reference),
    }),
    { signal: context.abort },
  );
  const display = output && new TransferDisplay(output, context, pullWords);
  for await (const answer of answers) {
    const { event } = answer;
    if (format === 'json') await output?.write(jsonLine(PullImageResponse.toJSON(answer)));
    else if (event?.$case === 'progress') await display?.show(event.value);
    if (event?.$case === 'result') return event.value;
  }
  throw new CliError('the pull ended without a result');
}

/** Reads "os/architecture[/variant]". */
export function parsePlatform(text: string): Platform {
  const [os = '', architecture = '', variant = '', ...rest] = text.split('/');
  if (os === '' || architecture === '' || rest.length > 0) {
    throw new UsageError(`"${text}" is not a platform`, 'for example linux/arm64 or linux/arm/v7');
  }
  return { os, architecture, variant };
}
