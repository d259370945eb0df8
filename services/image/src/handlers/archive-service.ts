import type { ArchiveServiceService } from '@teu/proto/image';
import type { Handlers } from '@teu/rpc';
import type { ImageParts } from '../operations/image-parts.js';
import { commitSnapshotHandler } from './commit-snapshot.js';
import { downloadImagesHandler } from './download-images.js';
import { downloadSnapshotHandler } from './download-snapshot.js';
import { exportSnapshotHandler } from './export-snapshot.js';
import { getImageDocumentsHandler } from './get-image-documents.js';
import { getImageHistoryHandler } from './get-image-history.js';
import { saveImagesHandler } from './save-images.js';

/** A handler for each method of teu.image.v1.ArchiveService. */
export function createArchiveHandlers(parts: ImageParts): Handlers<typeof ArchiveServiceService> {
  return {
    saveImages: saveImagesHandler(parts),
    downloadImages: downloadImagesHandler(parts),
    getImageHistory: getImageHistoryHandler(parts),
    getImageDocuments: getImageDocumentsHandler(parts),
    exportSnapshot: exportSnapshotHandler(parts),
    downloadSnapshot: downloadSnapshotHandler(parts),
    commitSnapshot: commitSnapshotHandler(parts),
  };
}
