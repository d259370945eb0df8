import type { StatsEntry } from '@teu/proto/cgroup';
import type { Context } from '../context.js';
import { listContainers } from '../list-pages.js';

/**
 * Names of the containers of a stream. It mostly tells them itself; the engine is asked for what it does not know yet.
 * What the engine does not know either is no container: something that is kept ready for the next one.
 */
export class ContainerNames {
  readonly #context: Pick<Context, 'services' | 'abort'>;
  readonly #known = new Map<string, string | undefined>();

  constructor(context: Pick<Context, 'services' | 'abort'>) {
    this.#context = context;
  }

  /** The entries that are of groups, or of containers; these with their names. */
  async named(entries: readonly StatsEntry[]): Promise<StatsEntry[]> {
    const isNew = ({ containerId, name }: StatsEntry) =>
      containerId !== '' && name === '' && !this.#known.has(containerId);
    const unknown = entries.filter(isNew);
    if (unknown.length > 0) {
      const found = await listContainers(this.#context, { all: true });
      const names = new Map(found.map(({ id, name }) => [id, name]));
      for (const { containerId } of unknown) this.#known.set(containerId, names.get(containerId));
    }
    return entries.flatMap((entry) => {
      if (entry.containerId === '' || entry.name !== '') return [entry];
      const name = this.#known.get(entry.containerId);
      return name === undefined ? [] : [{ ...entry, name }];
    });
  }
}
