import { HealthCheckResponse_ServingStatus, HealthService } from '@teu/proto/grpc';
import type { RpcChannel, UnaryOptions } from './channel.js';

export type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'UNKNOWN';

/**
 * Asks a server whether it takes calls. With `waitForReady` it waits for a server that is not there yet.
 * @param service full name; empty for the server as a whole.
 * @throws UNAVAILABLE if nobody answers, NOT_FOUND if the server does not have the service.
 */
export async function checkHealth(
  channel: RpcChannel,
  service = '',
  options: UnaryOptions = {},
): Promise<ServingStatus> {
  const { status } = await channel.unary(HealthService.check, { service }, options);
  if (status === HealthCheckResponse_ServingStatus.SERVING) return 'SERVING';
  return status === HealthCheckResponse_ServingStatus.NOT_SERVING ? 'NOT_SERVING' : 'UNKNOWN';
}
