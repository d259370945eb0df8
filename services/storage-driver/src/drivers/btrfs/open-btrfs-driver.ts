import { nativeBinary } from '@teu/config';
import { NativeProgram } from '../../native-program.js';
import { BtrfsDriver } from './btrfs-driver.js';
import { checkFilesystem, unsupported } from './check-host.js';

const PROBE_TIME_LIMIT_MS = 60_000;

/**
 * Starts the driver and its program.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED if it is not on btrfs, or the program may not do what it has to
 */
export async function openBtrfsDriver(root: string): Promise<BtrfsDriver> {
  return new BtrfsDriver(root, await startProgram(root));
}

/** Looks whether the driver can work in a directory, and leaves nothing in it. @throws as above */
export async function checkBtrfsHost(root: string): Promise<void> {
  const program = await startProgram(root);
  await program.close();
}

async function startProgram(root: string): Promise<NativeProgram> {
  checkFilesystem(root);
  const program = new NativeProgram({
    driver: 'btrfs',
    binary: nativeBinary('teu-btrfs'),
    args: [root],
  });
  try {
    // Nothing to wait for: it only shows that the program runs and the disk can be written to.
    await program.request(PROBE_TIME_LIMIT_MS, 'settle', 0);
    return program;
  } catch (error) {
    await program.close();
    throw unsupported('its program cannot work on this file system', error);
  }
}
