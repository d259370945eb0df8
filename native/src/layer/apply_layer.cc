#include "layer/apply_layer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "cage/cage.h"
#include "layer/allowed_calls.h"
#include "layer/tar_reader.h"
#include "layer/tar_stream.h"
#include "layer/tree_writer.h"
#include "sys/unique_fd.h"

namespace teu::layer {
namespace {

/// Closes whatever was inherited beyond the descriptors that the options name.
Outcome closeStrangers(const Options& options) {
  return cage::closeBeyond(std::max(
      {STDERR_FILENO, options.blobFd, options.growthFd, options.copyFd, options.decodedFd}));
}

Outcome syncFile(int fd) {
  if (fd >= 0 && fdatasync(fd) != 0) return sysFailure("fdatasync", "sync blob", errno);
  return {};
}

Outcome writeTree(int rootFd, const Options& options, ChunkRing& ring, AppliedLayer& applied) {
  const Limits& limits = options.limits;
  TarStream stream(ring, 0);
  TarReader reader(stream, limits);
  TreeWriter writer(rootFd, limits, options.standalone);
  TarEntry entry;
  for (bool end = false;;) {
    if (Outcome read = reader.next(entry, end); !read) return read;
    if (end) break;
    if (++applied.entries > limits.entries) {
      return refused(code::kLimit,
                     "the layer has more than " + std::to_string(limits.entries) + " entries");
    }
    if (Outcome written = writer.write(entry, reader); !written) {
      return std::move(written).at(entry.name, entry.offset);
    }
  }
  stream.drain();
  applied.contentBytes = writer.contentBytes();
  return writer.finish();
}

Outcome writeAll(int fd, Bytes data) {
  while (!data.empty()) {
    const ssize_t count = write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("write", "store decoded blob", errno);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Outcome applyLayer(const Options& options, AppliedLayer& applied) {
  if (Outcome closed = closeStrangers(options); !closed) return closed;
  if (Outcome caged =
          cage::enterCage(options.cageDirectory, options.mounts, cage::kWritingCapabilities);
      !caged) {
    return caged;
  }
  UniqueFd root(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return sysFailure("open", "open root", errno);
  const auto sink = [&](ChunkRing& ring) { return writeTree(root.get(), options, ring, applied); };
  if (Outcome done = runPipeline(options, restrictSyscalls, sink, applied.blob); !done) return done;
  if (Outcome synced = syncFile(options.copyFd); !synced) return synced;
  // Nothing that names this layer may be recorded before its bytes are on the disk.
  if (syncfs(root.get()) != 0) return sysFailure("syncfs", "sync layer", errno);
  return {};
}

Outcome copyBlob(const Options& options, BlobFacts& facts) {
  if (Outcome closed = closeStrangers(options); !closed) return closed;
  if (Outcome caged = cage::enterEmptyCage(); !caged) return caged;
  const auto sink = [&](ChunkRing& ring) -> Outcome {
    for (Bytes chunk = ring.next(0); !chunk.empty(); chunk = ring.next(0)) {
      if (options.decodedFd >= 0) {
        if (Outcome written = writeAll(options.decodedFd, chunk); !written) return written;
      }
      ring.release(0);
    }
    return {};
  };
  if (Outcome done = runPipeline(options, restrictSyscalls, sink, facts); !done) return done;
  if (Outcome synced = syncFile(options.copyFd); !synced) return synced;
  return syncFile(options.decodedFd);
}

}  // namespace teu::layer
