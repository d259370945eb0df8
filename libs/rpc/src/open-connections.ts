import type { Socket } from 'node:net';

/**
 * The connections of a server. grpc-js' own shutdown is no help: on Node 24 it says that it is done
 * while calls still run, and without channelz (which costs time per call) it cannot cut them off.
 */
export class OpenConnections {
  readonly #sockets = new Set<Socket>();
  #onEmpty: (() => void) | undefined;

  add(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#onEmpty?.();
    });
  }

  /** Waits until all are closed by themselves, for `graceMs` at most; then closes the rest. */
  async end(graceMs: number): Promise<void> {
    if (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const socket of this.#sockets) socket.destroy();
  }
}
