import { failpoint } from '@teu/failpoint';
import type { BaseEdit, ContainerExit, ContainerSpec } from '@teu/proto/engine';
import type { LogRecord } from '@teu/proto/executor';
import { teuError } from '@teu/errors';
import { attach, type ProcessInput } from '../attachment.js';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { removeContainer } from '../remove-container.js';
import { runContainer } from '../start-road.js';
import { StartClock } from '../start-trace.js';
import { editContainerName, isMergeDoubtful, mergeEdit } from './merge-edit.js';

/** The container of an edit, from its run to its removal, and what is on record of both. */
export class EditSession {
  readonly #parts: EngineParts;
  readonly #edit: BaseEdit;
  readonly #intentId: string;
  #entry: ContainerEntry | undefined;
  #closeReader: () => void = () => undefined;
  /** Whether the next start of the engine has to see to it. */
  #isDoubtful = false;

  /** Writes down that an edit begins, so that a crash leaves no container. */
  constructor(parts: EngineParts, edit: BaseEdit) {
    this.#parts = parts;
    this.#edit = edit;
    this.#intentId = parts.store.intents.begin({ operation: 'edit', objectKey: edit.id });
    failpoint('engine.edit.after-intent');
  }

  /** Runs the program. */
  async run(spec: ContainerSpec, signal: AbortSignal): Promise<ContainerEntry> {
    signal.throwIfAborted();
    const how = { trace: new StartClock(), waits: false };
    this.#entry = await runContainer(this.#parts, { spec, request: undefined }, how);
    this.#closeReader = this.#parts.readers.open(this.#entry.id);
    return this.#entry;
  }

  /** What the program writes, to its end. */
  async *output(signal: AbortSignal): AsyncGenerator<LogRecord, void, undefined> {
    const target = { containerId: this.#required().id, execId: '', fromOffset: 0 };
    for await (const part of attach(this.#parts, target, noInput(), signal)) {
      if (part.$case === 'record') yield part.value;
    }
    this.#closeReader();
  }

  /** How the program ended. @throws CANCELLED if the client left before */
  async exit(signal: AbortSignal): Promise<ContainerExit> {
    const exit = await this.#required().waitUntilStopped(signal);
    if (exit !== undefined) return exit;
    throw teuError('CANCELLED', 'the client left before the program of the edit had ended');
  }

  /** Merges what the program has changed, after the consent. @param exit of the run that was looked at */
  async merge(exit: ContainerExit): Promise<BaseEdit> {
    const { store, edits } = this.#parts;
    const entry = this.#required();
    store.transaction(() => edits.insert(this.#edit));
    failpoint('engine.edit.after-consent');
    try {
      return await mergeEdit(this.#parts, this.#edit, entry, exit);
    } catch (error) {
      this.#isDoubtful = isMergeDoubtful(error);
      if (!this.#isDoubtful) store.transaction(() => edits.delete(this.#edit.id));
      throw error;
    }
  }

  /** Removes the container, unless it is needed to find out whether its changes were merged. */
  async close(): Promise<void> {
    this.#closeReader();
    if (this.#isDoubtful) {
      const fields = { edit_id: this.#edit.id };
      this.#parts.log.error(fields, 'an edit may be half done; the next start finishes it');
      return;
    }
    await clearEdit(this.#parts, this.#edit.id, this.#intentId);
  }

  #required(): ContainerEntry {
    if (this.#entry === undefined) throw new Error('the program of the edit was not started');
    return this.#entry;
  }
}

/**
 * Finishes an edit that a crash has interrupted: what the client had consented to is merged, all else is dropped.
 * @throws What the driver says; then it may be tried again
 */
export async function resumeEdit(
  parts: EngineParts,
  editId: string,
  intentId: string,
): Promise<void> {
  const edit = parts.edits.findUnmerged(editId);
  const entry = findContainer(parts, editId);
  if (edit !== undefined && entry !== undefined) await mergeEdit(parts, edit, entry, undefined);
  else if (edit !== undefined) parts.store.transaction(() => parts.edits.delete(editId));
  await clearEdit(parts, editId, intentId);
}

async function clearEdit(parts: EngineParts, editId: string, intentId: string): Promise<void> {
  const entry = findContainer(parts, editId);
  if (entry !== undefined) await removeContainer(parts, entry, true);
  parts.store.transaction(() => parts.store.intents.finish(intentId));
}

function findContainer({ registry }: EngineParts, editId: string): ContainerEntry | undefined {
  const name = editContainerName(editId);
  return registry.all().find(({ container }) => container.name === name);
}

async function* noInput(): AsyncGenerator<ProcessInput, void, undefined> {
  // The program gets no input.
}
