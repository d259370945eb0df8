import { teuError } from '@teu/errors';
import {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthService,
} from '@teu/proto/grpc';
import { implement, type Implementation } from './implement.js';

/** grpc.health.v1 for one server: one state for the server and all its services. */
export class Health {
  readonly implementation: Implementation;
  readonly #services: ReadonlySet<string>;
  readonly #waiting = new Set<() => void>();
  #serving = false;
  #closed = false;

  constructor(serviceNames: readonly string[]) {
    this.#services = new Set(['', ...serviceNames]);
    this.implementation = implement(HealthService, {
      check: async (request) => {
        if (!this.#services.has(request.service)) {
          throw teuError('NOT_FOUND', 'the server does not have this service');
        }
        return this.#answer(request.service);
      },
      watch: (request, context) => this.#watch(request.service, context.signal),
    });
  }

  /** Tells whoever asks or watches that calls are taken, or not. */
  setServing(serving: boolean): void {
    this.#serving = serving;
    this.#wakeWatchers();
  }

  /** Ends the watches: an open one would hold up an orderly stop for ever. */
  close(): void {
    this.#closed = true;
    this.#wakeWatchers();
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<HealthCheckResponse> {
    let told: HealthCheckResponse['status'] | undefined;
    while (!signal.aborted) {
      const answer = this.#answer(service);
      if (answer.status !== told) {
        told = answer.status;
        yield answer;
      } else if (this.#closed) return;
      else await this.#change(signal);
    }
  }

  #answer(service: string): HealthCheckResponse {
    if (!this.#services.has(service)) {
      return HealthCheckResponse.create({ status: ServingStatus.SERVICE_UNKNOWN });
    }
    const status = this.#serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
    return HealthCheckResponse.create({ status });
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }

  #wakeWatchers(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
