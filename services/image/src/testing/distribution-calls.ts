import {
  DistributionServiceService,
  PullImageRequest,
  PushImageRequest,
  type PullResolution,
  type PullResult,
  type PushResult,
  type TransferProgress,
} from '@teu/proto/image';
import type { RunningTestService } from '@teu/testing';

/** All that a pull told. */
export interface PullAnswer {
  resolution: PullResolution | undefined;
  progress: TransferProgress[];
  result: PullResult;
}

const TRANSFER_MS = 60_000;

/** Pulls an image to the end. */
export async function pull(
  service: Pick<RunningTestService, 'channel'>,
  request: Partial<PullImageRequest>,
  signal?: AbortSignal,
): Promise<PullAnswer> {
  const answers = service.channel.serverStream(
    DistributionServiceService.pullImage,
    PullImageRequest.create(request),
    { timeoutMs: TRANSFER_MS, ...(signal === undefined ? {} : { signal }) },
  );
  const progress: TransferProgress[] = [];
  let resolution: PullResolution | undefined;
  for await (const { event } of answers) {
    if (event?.$case === 'resolution') resolution = event.value;
    if (event?.$case === 'progress') progress.push(event.value);
    if (event?.$case === 'result') return { resolution, progress, result: event.value };
  }
  throw new Error('the pull ended without a result');
}

/** Pushes an image to the end. */
export async function push(
  service: Pick<RunningTestService, 'channel'>,
  request: Partial<PushImageRequest>,
): Promise<{ progress: TransferProgress[]; result: PushResult }> {
  const answers = service.channel.serverStream(
    DistributionServiceService.pushImage,
    PushImageRequest.create(request),
    { timeoutMs: TRANSFER_MS },
  );
  const progress: TransferProgress[] = [];
  for await (const { event } of answers) {
    if (event?.$case === 'progress') progress.push(event.value);
    if (event?.$case === 'result') return { progress, result: event.value };
  }
  throw new Error('the push ended without a result');
}
