import type { ClientCall } from './client-call.js';

interface Layer {
  child?: Layer | null;
  underlyingCalls?: ({ call?: Layer } | undefined)[];
  getStatus?: () => unknown;
}

/** Layers of a call in grpc-js: resolving, retrying, load balancing, connection. */
const DEPTH_MAX = 6;

/**
 * True if the peer's status has arrived, although messages before it are still to be read. Whoever
 * writes to such a call makes grpc-js put its own write error in the place of that status, and drop the
 * messages. It does not tell otherwise, so this looks into it; if its layers change, the answer is no.
 */
export function peerHasEnded(call: ClientCall): boolean {
  let layer: Layer | null | undefined = call as unknown as Layer;
  for (let depth = 0; layer != null && depth < DEPTH_MAX; depth += 1) {
    if (typeof layer.getStatus === 'function') return layer.getStatus() !== null;
    layer =
      layer.underlyingCalls?.findLast((attempt) => attempt?.call != null)?.call ?? layer.child;
  }
  return false;
}
