import { EngineServiceService, ContainerState, type Container } from '@teu/proto/engine';
import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { listContainers } from '../list-pages.js';
import { lineWithoutFigures, type UsageLine } from './usage-line.js';

type Caller = Pick<Context, 'services' | 'abort'>;

/** The id of a container that there is to measure: throws if it does not run. */
export async function idOfRunning(context: Caller, name: string): Promise<string> {
  const container = await find(context, name);
  if (container?.state === ContainerState.CONTAINER_STATE_RUNNING) return container.id;
  throw new CliError(`the container ${name} does not run, so there is nothing to measure`);
}

/** Containers that are shown whether they run or not. */
export class AllContainers {
  readonly #context: Caller;
  readonly #ids: ReadonlySet<string>;
  readonly #group: string;

  private constructor(context: Caller, ids: ReadonlySet<string>, group: string) {
    this.#context = context;
    this.#ids = ids;
    this.#group = group;
  }

  /**
   * @param names - Those to show; all if there are none.
   * @param group - Only what is in this group of containers; empty for everywhere.
   */
  static async named(
    context: Caller,
    names: readonly string[],
    group: string,
  ): Promise<AllContainers> {
    const found = await Promise.all(names.map((name) => find(context, name)));
    const ids = found.flatMap((container) => (container === undefined ? [] : [container.id]));
    return new AllContainers(context, new Set(ids), group);
  }

  /** Whether a container or group is among those that are shown. */
  has({ containerId }: { readonly containerId: string }): boolean {
    return this.#ids.size === 0 || this.#ids.has(containerId);
  }

  /** Lines of those that a sample does not have. */
  async others(measured: ReadonlySet<string>): Promise<UsageLine[]> {
    const containers = await listContainers(this.#context, { all: true });
    return containers
      .map(({ id, name, spec }) => lineWithoutFigures(id, name, spec?.group ?? ''))
      .filter((line) => !measured.has(line.containerId) && this.has(line))
      .filter(({ group }) => this.#group === '' || `${group}/`.startsWith(`${this.#group}/`));
  }
}

async function find({ services, abort }: Caller, name: string): Promise<Container | undefined> {
  const { getContainer } = EngineServiceService;
  const call = services.engine.unary(getContainer, { container: name }, { signal: abort });
  return (await call).container;
}
