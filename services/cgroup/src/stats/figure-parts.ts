import type { CpuStats, IoStats, MemoryStats, PidsStats, PressureStats } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { ioStatsV1, ioStatsV2 } from '../domain/io-stats.js';
import { pressureStats } from '../domain/pressure-stats.js';
import {
  cpuStatsV1,
  cpuStatsV2,
  cpuUsageV1,
  cpuUsageV2,
  memoryStatsV1,
  memoryStatsV2,
  memoryUsageV1,
  memoryUsageV2,
  pidsStatsV1,
  pidsStatsV2,
  type FigureFiles,
} from '../domain/stats.js';
import { DirectoryFiles } from './directory-files.js';
import { LimitsAbove } from './limits-above.js';
import type { OpenFiles } from './open-files.js';

/** Directory of a group in the hierarchy of a controller. */
export interface FigureDirectory {
  readonly path: string;
  readonly version: 1 | 2;
}

/** Where the figures of a group are. What the host does not have is absent. */
export interface FigureDirectories {
  readonly cpu?: FigureDirectory | undefined;
  /** Version 1 counts time apart from throttling. */
  readonly cpuacct?: FigureDirectory | undefined;
  readonly memory?: FigureDirectory | undefined;
  readonly pids?: FigureDirectory | undefined;
  readonly io?: FigureDirectory | undefined;
  /** In a tree of version 2, whatever controllers it has. */
  readonly pressure?: FigureDirectory | undefined;
}

/** Reads the parts of a group's figures. What the host does not measure is undefined; all throw GroupGone. */
export class FigureParts {
  readonly #directories: FigureDirectories;
  readonly #files: OpenFiles;
  readonly #above: LimitsAbove;
  readonly #open = new Map<string, DirectoryFiles>();

  /** @param above - Shared by all that are read again and again. */
  constructor(directories: FigureDirectories, files: OpenFiles, above = new LimitsAbove(files)) {
    this.#directories = directories;
    this.#files = files;
    this.#above = above;
  }

  cpu(): CpuStats | undefined {
    const { cpu, cpuacct } = this.#directories;
    if (cpu?.version === 2) return cpuStatsV2(this.#in(cpu));
    return cpu && cpuacct && cpuStatsV1(this.#in(cpuacct), this.#in(cpu));
  }

  /** User and system time alone. */
  cpuUsage(): Duration | undefined {
    const { cpu, cpuacct } = this.#directories;
    if (cpu?.version === 2) return cpuUsageV2(this.#in(cpu));
    return cpuacct && cpuUsageV1(this.#in(cpuacct));
  }

  memory(): MemoryStats | undefined {
    return this.#byVersion(this.#directories.memory, memoryStatsV1, memoryStatsV2);
  }

  /** Memory in use alone. */
  memoryUsage(): number | undefined {
    return this.#byVersion(this.#directories.memory, memoryUsageV1, memoryUsageV2);
  }

  pids(): PidsStats | undefined {
    return this.#byVersion(this.#directories.pids, pidsStatsV1, pidsStatsV2);
  }

  io(): IoStats | undefined {
    return this.#byVersion(this.#directories.io, ioStatsV1, ioStatsV2);
  }

  pressure(): PressureStats | undefined {
    const { pressure } = this.#directories;
    return pressure && pressureStats(this.#in(pressure));
  }

  /** Closes the files that are open; they are opened again when they are read again. */
  close(): void {
    for (const files of this.#open.values()) files.close();
    this.#open.clear();
  }

  #byVersion<T>(
    directory: FigureDirectory | undefined,
    v1: (files: FigureFiles) => T,
    v2: (files: FigureFiles) => T,
  ): T | undefined {
    return directory && (directory.version === 1 ? v1 : v2)(this.#in(directory));
  }

  #in({ path }: FigureDirectory): DirectoryFiles {
    let files = this.#open.get(path);
    if (files === undefined) {
      files = new DirectoryFiles(path, this.#files, this.#above);
      this.#open.set(path, files);
    }
    return files;
  }
}
