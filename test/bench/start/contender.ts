/** Something that can start a container, to be measured. */
export interface Contender {
  /** Name in the table. */
  readonly name: string;
  /** What one start is, for the reader of the table. */
  readonly how: string;
  /** Runs `true` in a new container of the Debian root file system to its end. Throws on failure. */
  run(): Promise<void>;
  /** Processes that are there while nothing runs, for the memory table. */
  readonly idlePids?: () => number[];
  /** Starts a container that sleeps and returns the pids of what supervises it. */
  readonly supervisorPids?: () => Promise<number[]>;
  /** Ends all that prepare began. */
  close(): Promise<void>;
}
