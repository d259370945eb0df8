#include "fuzz/targets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "layer/chunk_ring.h"
#include "layer/entry_metadata.h"
#include "layer/entry_path.h"
#include "layer/tar_reader.h"
#include "layer/tar_stream.h"
#include "layer/tree_remover.h"
#include "layer/tree_writer.h"

namespace teu::fuzz {
namespace {

constexpr std::size_t kChunkBytes = 4096;  // Small, so that members go over the borders.

layer::Limits limits() {
  layer::Limits limits;
  limits.headerBytes = 16 << 10;
  limits.depth = 32;
  return limits;
}

/// A ring that holds all of the input already: nobody has to run beside the reader.
class FilledRing {
 public:
  explicit FilledRing(const Input& input) : ring_(input.size() / kChunkBytes + 1, kChunkBytes, 1) {
    for (std::size_t at = 0; at < input.size(); at += kChunkBytes) {
      const std::size_t count = std::min(kChunkBytes, input.size() - at);
      std::memcpy(ring_.acquire(), input.data() + at, count);
      ring_.publish(count);
    }
    ring_.finish();
  }

  layer::ChunkRing& ring() { return ring_; }

 private:
  layer::ChunkRing ring_;
};

/// What the reader promises of every entry that it returns.
void checkEntry(const layer::TarEntry& entry) {
  if (entry.name.find('\0') != std::string::npos) broken("no NUL in a name", entry.name);
  if (entry.mode > 07777) broken("only bits of permission", entry.name);
  std::uint64_t end = 0;
  for (const layer::Segment& segment : entry.segments) {
    if (segment.offset < end) broken("segments in order", entry.name);
    end = segment.offset + segment.length;
  }
  if (entry.sparse && end > entry.fileBytes) broken("segments within the file", entry.name);
}

void checkPath(const layer::TarEntry& entry) {
  std::string path;
  std::string hidden;
  layer::NameKind kind = layer::NameKind::kPlain;
  if (!layer::normalizePath(entry.name, limits(), path)) return;
  if (path.starts_with('/') || ("/" + path + "/").find("/../") != std::string::npos) {
    broken("a name stays below the root", path);
  }
  if (!layer::classifyPath(path, kind, hidden)) return;
  if (kind != layer::NameKind::kPlain && hidden.find(".wh.") == 0)
    broken("a name is hidden", hidden);
  (void)layer::checkAttributes(entry);
}

void runReader(const Input& input) {
  FilledRing filled(input);
  const layer::Limits bounds = limits();
  layer::TarStream stream(filled.ring(), 0);
  layer::TarReader reader(stream, bounds);
  layer::TarEntry entry;
  for (bool end = false;;) {
    if (!reader.next(entry, end) || end) return;
    checkEntry(entry);
    checkPath(entry);
    // Some of the data, so that both ways on are taken.
    layer::Bytes bytes;
    if (entry.dataBytes % 2 == 0 && !reader.data(entry.dataBytes, bytes)) return;
  }
}

/// A directory that is made anew for each input, with a canary beside it.
class Scratch {
 public:
  Scratch() {
    char path[] = "/dev/shm/teu-fuzz-XXXXXX";
    if (mkdtemp(path) == nullptr) broken("a scratch directory", path);
    top_ = path;
    root_ = top_ + "/root";
    if (mkdir(root_.c_str(), 0755) != 0) broken("a scratch tree", root_);
    fd_.reset(open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  ~Scratch() {
    layer::DirectoryResolver resolver(fd_.get(), false);
    std::shared_ptr<layer::Directory> root;
    if (resolver.open("", false, root))
      (void)layer::removeChildren(*root, "", layer::Keep::kNothing, resolver);
    // Whatever else is there was written outside of the tree.
    if (rmdir(root_.c_str()) != 0 || rmdir(top_.c_str()) != 0)
      broken("nothing outside of the tree", top_);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  int fd() const { return fd_.get(); }

 private:
  std::string top_;
  std::string root_;
  UniqueFd fd_;
};

void runWriter(const Input& input) {
  const Scratch scratch;
  FilledRing filled(input);
  const layer::Limits bounds = limits();
  layer::TarStream stream(filled.ring(), 0);
  layer::TarReader reader(stream, bounds);
  layer::TreeWriter writer(scratch.fd(), bounds, input.size() % 2 == 0);
  layer::TarEntry entry;
  for (bool end = false;;) {
    if (!reader.next(entry, end)) return;
    if (end) break;
    if (!writer.write(entry, reader)) return;
  }
  (void)writer.finish();
}

constexpr Target kTargets[] = {{"reader", runReader, Format::kTar},
                               {"writer", runWriter, Format::kTar},
                               {"kernel-log", runKernelLog, Format::kText}};

}  // namespace

void broken(const char* promise, const std::string& what) {
  std::fprintf(stderr, "broken promise: %s: %s\n", promise, what.c_str());
  std::abort();
}

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace teu::fuzz
