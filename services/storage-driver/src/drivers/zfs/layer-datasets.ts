import { join } from 'node:path';

/** Name, beside those of layers, of a dataset that a start tries things on. */
export const PROBE = 'probe-host';

/** Where the layers of a driver are: names of datasets and of directories, by id. */
export class LayerDatasets {
  /** Dataset that holds those of the layers; nothing is in it itself. */
  readonly parent: string;
  /** Directory that the layers are mounted in. */
  readonly directory: string;

  /**
   * @param dataset - Dataset that was given to the driver.
   * @param root - Directory of the driver.
   */
  constructor(dataset: string, root: string) {
    this.parent = `${dataset}/teu`;
    this.directory = join(root, 'm');
  }

  dataset(id: number): string {
    return `${this.parent}/${id.toString(36)}`;
  }

  mountPoint(id: number): string {
    return `${this.directory}/${id.toString(36)}`;
  }

  /** The id of a dataset; undefined if it is not one of a layer. */
  idOf(dataset: string): number | undefined {
    const name = dataset.slice(this.parent.length + 1);
    const id = Number.parseInt(name, 36);
    const isId = Number.isSafeInteger(id) && id > 0 && id.toString(36) === name;
    return isId && dataset === this.dataset(id) ? id : undefined;
  }
}
