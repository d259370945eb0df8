// Directory streams: what a directory holds when it is opened or rewound, at positions that stay.
#include <mutex>

#include "union/filesystem.h"
#include "union/listing.h"
#include "union/requests.h"

namespace teu::unionfs::requests {
namespace {

struct Stream {
  std::mutex mutex{};
  bool filled = false;
  Listing listing{};
};

Stream& streamOf(const fuse_file_info* info) {
  return *reinterpret_cast<Stream*>(info->fh);
}

Status fill(FileSystem& files, Node* directory, Stream& stream, off_t offset) {
  if (stream.filled && offset != 0) return {};
  const std::shared_lock lock(files.tree.lock);
  Status read = stream.listing.read(files.tree, directory);
  stream.filled = static_cast<bool>(read);
  return read;
}

/// Size of the entry in the answer, which it is added to if it fits.
std::size_t addEntry(fuse_req_t request, char* buffer, std::size_t space, const char* name,
                     const Listing::Entry& entry, off_t next) {
  struct stat info {};
  info.st_ino = entry.number;
  info.st_mode = static_cast<mode_t>(entry.type) << 12;
  return fuse_add_direntry(request, buffer, space, name, &info, next);
}

/// The same with all that a lookup tells. 0 in `node`: it was not looked up.
std::size_t addLookedUp(fuse_req_t request, char* buffer, std::size_t space, Node* directory,
                        const char* name, const Listing::Entry& entry, off_t next) {
  FileSystem& files = fileSystemOf(request);
  fuse_entry_param looked{};
  looked.attr.st_ino = entry.number;
  looked.attr.st_mode = static_cast<mode_t>(entry.type) << 12;
  // What cannot be looked up is left to a lookup of its own.
  const bool dots = next <= 2;
  if (fuse_add_direntry_plus(request, nullptr, 0, name, nullptr, 0) > space) return space + 1;
  if (!dots) {
    Result<fuse_entry_param> found = files.lookUp(directory, name);
    if (found) looked = found.value();
    if (!found && found.error().number == ENOENT) return 0;
  }
  return fuse_add_direntry_plus(request, buffer, space, name, &looked, next);
}

/// What the answer holds. Once it is sent the stream may be gone.
Result<std::string> collect(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                            const fuse_file_info* info, bool lookUp) {
  FileSystem& files = fileSystemOf(request);
  Node* directory = files.node(id);
  Stream& stream = streamOf(info);
  const std::lock_guard guard(stream.mutex);
  if (Status filled = fill(files, directory, stream, offset); !filled) return filled;
  std::string buffer(size, '\0');
  std::size_t used = 0;
  for (auto index = static_cast<std::size_t>(offset); index < stream.listing.size(); ++index) {
    const Listing::Entry& entry = stream.listing.at(index);
    const char* name = stream.listing.nameOf(entry);
    const auto next = static_cast<off_t>(index + 1);
    const std::size_t space = size - used;
    const std::size_t needed =
        lookUp ? addLookedUp(request, &buffer[used], space, directory, name, entry, next)
               : addEntry(request, &buffer[used], space, name, entry, next);
    if (needed > space) break;
    used += needed;
  }
  buffer.resize(used);
  return buffer;
}

void answerEntries(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                   const fuse_file_info* info, bool lookUp) {
  Result<std::string> entries = collect(request, id, size, offset, info, lookUp);
  if (!entries) return refuse(request, entries.error());
  fuse_reply_buf(request, entries.value().data(), entries.value().size());
}

}  // namespace

void openDirectory(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  const FileSystem& files = fileSystemOf(request);
  auto* stream = new Stream;
  info->fh = reinterpret_cast<std::uintptr_t>(stream);
  info->cache_readdir = !files.revalidates;
  info->keep_cache = !files.revalidates;
  if (fuse_reply_open(request, info) != 0) delete stream;
}

void readDirectory(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                   fuse_file_info* info) {
  answerEntries(request, id, size, offset, info, false);
}

void readDirectoryPlus(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset,
                       fuse_file_info* info) {
  answerEntries(request, id, size, offset, info, true);
}

void closeDirectory(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  delete &streamOf(info);
  fuse_reply_err(request, 0);
}

}  // namespace teu::unionfs::requests
