// What the machine does before a power cut ("make") and after it ("find"), with every driver at once.
import { join } from 'node:path';
import process from 'node:process';
import { tempDir } from '@teu/testing';
import { findSnapshots } from './find-snapshots.js';
import { makeSnapshots } from './make-snapshots.js';
import { PLACES } from './place.js';

const FIRST_DISK = 'b'.charCodeAt(0);

const isNew = process.argv[2] === 'make';
const work = isNew ? makeSnapshots : findSnapshots;
using directory = tempDir();
await Promise.all(
  Object.entries(PLACES).map(async ([driver, openPlace], index) => {
    const device = `/dev/vd${String.fromCharCode(FIRST_DISK + index)}`;
    await work(driver, await openPlace(device, isNew), join(directory.path, driver));
  }),
);
