import type { ImageServiceService } from '@teu/proto/image';
import type { Handlers } from '@teu/rpc';
import type { ImageServiceConfig } from '../config.js';
import type { ImageParts } from '../operations/image-parts.js';
import { createImagePreparer } from '../operations/prepare-image.js';
import { compareSnapshotsHandler } from './compare-snapshots.js';
import { getImageHandler } from './get-image.js';
import { listImagesHandler } from './list-images.js';
import { loadImageHandler } from './load-image.js';
import { prepareImageHandler } from './prepare-image.js';
import { rebuildImageHandler } from './rebuild-image.js';
import { releaseDriverHandler } from './release-driver.js';
import { removeImageHandler } from './remove-image.js';
import { setDriversHandler } from './set-drivers.js';
import { tagImageHandler } from './tag-image.js';
import { transplantSnapshotHandler } from './transplant-snapshot.js';
import { uploadImageHandler } from './upload-image.js';
import { watchImagesHandler } from './watch-images.js';

/** A handler for each method of teu.image.v1.ImageService. */
export function createImageHandlers(
  parts: ImageParts,
  { maxUploadBytes }: Pick<ImageServiceConfig, 'maxUploadBytes'>,
): Handlers<typeof ImageServiceService> {
  return {
    loadImage: loadImageHandler(parts),
    uploadImage: uploadImageHandler(parts, maxUploadBytes),
    listImages: listImagesHandler(parts),
    getImage: getImageHandler(parts),
    prepareImage: prepareImageHandler(createImagePreparer(parts)),
    tagImage: tagImageHandler(parts),
    removeImage: removeImageHandler(parts),
    watchImages: watchImagesHandler(parts),
    setDrivers: setDriversHandler(parts),
    releaseDriver: releaseDriverHandler(parts),
    compareSnapshots: compareSnapshotsHandler(parts),
    transplantSnapshot: transplantSnapshotHandler(parts),
    rebuildImage: rebuildImageHandler(parts),
  };
}
