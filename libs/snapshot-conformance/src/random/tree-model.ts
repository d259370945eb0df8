/** Something in a tree, by all of its names. */
export interface ModelEntry {
  readonly kind: 'directory' | 'file' | 'symlink' | 'node';
  /** Paths; only files and nodes have several. */
  readonly names: Set<string>;
  /** Names of extended attributes that are set. */
  readonly xattrs: Set<string>;
  mode: number;
  size: number;
  /** Whether it comes from a layer below the one that is made now. */
  isLower: boolean;
}

/** What is in a tree, as far as the next change has to know. */
export class TreeModel {
  readonly #entries = new Map<string, ModelEntry>();

  constructor() {
    this.add('', 'directory', 0o755);
  }

  get(path: string): ModelEntry | undefined {
    return this.#entries.get(path);
  }

  /** Paths of everything but the root that meets a condition. */
  paths(condition: (entry: ModelEntry) => boolean): string[] {
    return this.#entries
      .entries()
      .filter(([path, entry]) => path !== '' && condition(entry))
      .map(([path]) => path)
      .toArray();
  }

  /** Paths of all directories, the root's too. */
  directories(): string[] {
    return ['', ...this.paths(({ kind }) => kind === 'directory')];
  }

  isEmpty(directory: string): boolean {
    return this.#below(directory).length === 0;
  }

  add(path: string, kind: ModelEntry['kind'], mode: number): ModelEntry {
    const entry: ModelEntry = {
      kind,
      names: new Set([path]),
      xattrs: new Set(),
      mode,
      size: 0,
      isLower: false,
    };
    this.#entries.set(path, entry);
    return entry;
  }

  /** Gives an entry one more name. */
  link(path: string, entry: ModelEntry): void {
    entry.names.add(path);
    this.#entries.set(path, entry);
  }

  /** Takes a path away, and all below it. */
  remove(path: string): void {
    for (const name of [path, ...this.#below(path)]) {
      this.#entries.get(name)?.names.delete(name);
      this.#entries.delete(name);
    }
  }

  /** Moves a path, and all below it; what was at the other one is gone. */
  move(from: string, to: string): void {
    if (this.#entries.has(to)) this.remove(to);
    for (const name of [from, ...this.#below(from)]) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      this.#entries.delete(name);
      entry.names.delete(name);
      this.link(to + name.slice(from.length), entry);
    }
  }

  /** Whether a file in a directory has a name outside of it too. */
  hasLinksOutOf(directory: string): boolean {
    return this.#below(directory).some((path) => {
      const names = this.#entries.get(path)?.names ?? new Set<string>();
      return names.values().some((name) => !name.startsWith(`${directory}/`));
    });
  }

  /** A layer is done: all that there is lies below the next one. */
  endLayer(): void {
    for (const entry of this.#entries.values()) entry.isLower = true;
  }

  #below(directory: string): string[] {
    const start = `${directory}/`;
    return this.#entries
      .keys()
      .filter((path) => path !== directory && (directory === '' || path.startsWith(start)))
      .toArray();
  }
}
