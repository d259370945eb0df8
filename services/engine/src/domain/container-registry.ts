import { teuError } from '@teu/errors';
import type { ContainerEntry } from './container-entry.js';

/** All containers in memory, by id and by name. */
export class ContainerRegistry {
  readonly #byId = new Map<string, ContainerEntry>();
  readonly #byName = new Map<string, ContainerEntry>();
  /** Containers that are not recorded yet, and their names: found by nobody but whoever makes them. */
  readonly #reserved = new Map<string, ContainerEntry>();
  readonly #reservedNames = new Map<string, ContainerEntry>();

  /** Keeps id and name for a container that is about to be recorded. */
  reserve(entry: ContainerEntry): void {
    this.#reserved.set(entry.id, entry);
    this.#reservedNames.set(entry.container.name, entry);
  }

  /** Gives up what was reserved. */
  release(entry: ContainerEntry): void {
    this.#reserved.delete(entry.id);
    this.#reservedNames.delete(entry.container.name);
  }

  /** Takes in a container that is recorded. */
  add(entry: ContainerEntry): void {
    this.release(entry);
    this.#byId.set(entry.id, entry);
    this.#byName.set(entry.container.name, entry);
  }

  /** Takes a container out; its name is free at once. */
  remove(entry: ContainerEntry): void {
    this.#byId.delete(entry.id);
    this.#byName.delete(entry.container.name);
    entry.markRemoved();
  }

  /** Also one that is not recorded yet. */
  byId(id: string): ContainerEntry | undefined {
    return this.#byId.get(id) ?? this.#reserved.get(id);
  }

  isNameTaken(name: string): boolean {
    return this.#byName.has(name) || this.#reservedNames.has(name);
  }

  /** @throws CONTAINER_NAME_IN_USE saying who has it. */
  requireFreeName(name: string): void {
    const holder = this.#byName.get(name) ?? this.#reservedNames.get(name);
    if (holder === undefined) return;
    throw teuError(
      'CONTAINER_NAME_IN_USE',
      `the name "${name}" belongs to container ${holder.id}`,
      {
        metadata: { name, container: holder.id },
      },
    );
  }

  /**
   * Finds a container by its id, its name, or a prefix of its id that only it has; in this order, as docker does.
   * @throws CONTAINER_NOT_FOUND, AMBIGUOUS_REFERENCE
   */
  resolve(reference: string): ContainerEntry {
    const exact = this.#byId.get(reference) ?? this.#byName.get(reference);
    if (exact !== undefined) return exact;
    const matches = /^[0-9a-f]{1,63}$/.test(reference) ? this.#withPrefix(reference) : [];
    const [first, second] = matches;
    if (second !== undefined) {
      throw teuError(
        'AMBIGUOUS_REFERENCE',
        `several containers have an id beginning "${reference}"`,
        {
          metadata: { reference },
        },
      );
    }
    if (first !== undefined) return first;
    throw containerNotFound(reference);
  }

  /** In order of creation, oldest first. */
  all(): ContainerEntry[] {
    return [...this.#byId.values()];
  }

  /** Containers whose layers are in a driver, also those that are not recorded yet; oldest first. */
  onDriver(name: string): ContainerEntry[] {
    const everything = [...this.#byId.values(), ...this.#reserved.values()];
    return everything.filter(({ container }) => container.driver === name);
  }

  #withPrefix(prefix: string): ContainerEntry[] {
    const matches: ContainerEntry[] = [];
    for (const [id, entry] of this.#byId) {
      if (id.startsWith(prefix)) matches.push(entry);
      if (matches.length > 1) break;
    }
    return matches;
  }
}

/** The error for a container that is not there. */
export function containerNotFound(reference: string): Error {
  // A reference may hold anything; what is not printable does not go into a message.
  const shown = reference.slice(0, 128).replaceAll(/[^\x20-\x7e]/g, '?');
  return teuError('CONTAINER_NOT_FOUND', `no container has the id or name "${shown}"`, {
    metadata: { reference: shown },
  });
}
