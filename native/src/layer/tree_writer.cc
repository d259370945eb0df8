#include "layer/tree_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "layer/entry_metadata.h"
#include "layer/tree_remover.h"

namespace teu::layer {
namespace {

constexpr unsigned kSetIdBits = 07000;
constexpr std::uint64_t kEarlyBytes = 256 << 10;

bool mayBeWhiteout(EntryType type) noexcept {
  // AUFS made its whiteouts hard links of one another, and docker's archives of those days still
  // hold them.
  return type == EntryType::kFile || type == EntryType::kHardLink;
}

Outcome writeRun(int fd, Bytes data, std::uint64_t offset) {
  while (!data.empty()) {
    const ssize_t count = pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return sysFailure("pwrite", "write file", errno);
    offset += static_cast<std::uint64_t>(count);
    data = data.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Outcome TreeWriter::write(const TarEntry& entry, TarReader& reader) {
  std::string path;
  std::string hidden;
  NameKind kind = NameKind::kPlain;
  if (Outcome normal = normalizePath(entry.name, limits_, path); !normal) return normal;
  if (Outcome known = classifyPath(path, kind, hidden); !known) return known;
  if (kind != NameKind::kPlain) return hide(entry, kind, hidden);
  if (Outcome fine = checkAttributes(entry); !fine) return fine;
  return writePlain(entry, path, reader);
}

Outcome TreeWriter::writePlain(const TarEntry& entry, const std::string& path, TarReader& reader) {
  if (path.empty()) return makeRoot(entry);
  std::shared_ptr<Directory> parent;
  if (Outcome opened = resolver_.open(std::string(parentOf(path)), true, parent); !opened) {
    return opened;
  }
  const std::string base(baseOf(path));
  Outcome made;
  switch (entry.type) {
    case EntryType::kFile:
      made = makeFile(entry, *parent, base, reader);
      break;
    case EntryType::kDirectory:
      made = makeDirectory(entry, *parent, base);
      break;
    case EntryType::kHardLink:
      made = makeHardLink(entry, *parent, base);
      break;
    case EntryType::kSymlink:
      made = makeSymlink(entry, *parent, base);
      break;
    case EntryType::kCharacter:
    case EntryType::kBlock:
    case EntryType::kFifo:
      made = makeNode(entry, *parent, base);
      break;
  }
  if (made) resolver_.noteMade(joinPath(parent->path, base));
  return made;
}

Outcome TreeWriter::hide(const TarEntry& entry, NameKind kind, const std::string& hidden) {
  if (!mayBeWhiteout(entry.type)) {
    return refused(code::kWhiteout, "a whiteout must be a plain file");
  }
  // Alone it could be left as a mark; but overlayfs shows marks in a directory that no lower layer
  // has.
  if (standalone_) return refused(code::kNeedsParent, "it hides something of a lower layer");
  // An opaque whiteout empties `hidden` itself, so that one is opened; a plain one removes it from
  // its parent.
  const bool opaque = kind == NameKind::kOpaque;
  std::shared_ptr<Directory> directory;
  const std::string path = opaque ? hidden : std::string(parentOf(hidden));
  if (Outcome opened = resolver_.open(path, true, directory); !opened) return opened;
  Outcome removed =
      opaque ? removeChildren(*directory, "", Keep::kOwnEntries, resolver_)
             : removeTree(*directory, std::string(baseOf(hidden)), Keep::kOwnEntries, resolver_);
  resolver_.forget();
  return removed;
}

/// Makes room for an entry that replaces what is there.
Outcome TreeWriter::clear(const Directory& parent, const std::string& base) {
  Outcome removed = removeTree(parent, base, Keep::kNothing, resolver_);
  resolver_.forget();
  return removed;
}

Outcome TreeWriter::makeRoot(const TarEntry& entry) {
  if (entry.type != EntryType::kDirectory) {
    return refused(code::kBadTar, "the root can only be a directory");
  }
  // A root that is not in the layer gets the looks of the parent's when it is committed, and this
  // one must not.
  if (standalone_) return refused(code::kNeedsParent, "it is the root");
  UniqueFd fd(openat(rootFd_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return sysFailure("openat", "open root", errno);
  directories_.push_back({"", {entry.accessed, entry.modified}});
  if (Outcome dropped = dropAttributes(fd.get(), entry); !dropped) return dropped;
  return applyMetadata(fd.get(), entry);
}

Outcome TreeWriter::makeFile(const TarEntry& entry, const Directory& parent,
                             const std::string& base, TarReader& reader) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const unsigned mode = entry.mode & ~kSetIdBits;
  UniqueFd fd(openat(parent.fd.get(), base.c_str(), kFlags, mode));
  if (!fd && errno == EEXIST) {
    if (Outcome cleared = clear(parent, base); !cleared) return cleared;
    fd.reset(openat(parent.fd.get(), base.c_str(), kFlags, mode));
  }
  if (!fd) return sysFailure("openat", "make file", errno);
  if (Outcome copied = copyData(entry, fd.get(), reader); !copied) return copied;
  // Writing clears file capabilities and set-id bits: metadata comes after the data.
  if (Outcome applied = applyMetadata(fd.get(), entry); !applied) return applied;
  const timespec times[2] = {entry.accessed, entry.modified};
  if (futimens(fd.get(), times) != 0) return sysFailure("futimens", "set times", errno);
  return {};
}

Outcome TreeWriter::copyData(const TarEntry& entry, int fd, TarReader& reader) {
  const std::vector<Segment> whole{{0, entry.dataBytes}};
  for (const Segment& segment : entry.sparse ? entry.segments : whole) {
    for (std::uint64_t done = 0; done < segment.length;) {
      Bytes data;
      if (Outcome read = reader.data(segment.length - done, data); !read) return read;
      if (data.empty()) return refused(code::kBadTar, "its data is cut off");
      if (Outcome written = writeRun(fd, data, segment.offset + done); !written) return written;
      done += data.size();
    }
  }
  contentBytes_ += entry.dataBytes;
  // The disk may begin with it; small ones are better written together.
  if (entry.dataBytes >= kEarlyBytes) sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
  if (entry.sparse && ftruncate(fd, static_cast<off_t>(entry.fileBytes)) != 0) {
    return sysFailure("ftruncate", "write file", errno);
  }
  return {};
}

Outcome TreeWriter::makeDirectory(const TarEntry& entry, const Directory& parent,
                                  const std::string& base) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const bool existed = mkdirat(parent.fd.get(), base.c_str(), entry.mode & ~kSetIdBits) != 0;
  if (existed && errno != EEXIST) return sysFailure("mkdirat", "make directory", errno);
  UniqueFd fd(openat(parent.fd.get(), base.c_str(), kFlags));
  if (!fd && existed && (errno == ENOTDIR || errno == ELOOP)) {
    // What was there has hidden a lower directory of this name, which would come to light.
    if (standalone_) return refused(code::kNeedsParent, "it takes the place of something else");
    if (Outcome cleared = clear(parent, base); !cleared) return cleared;
    if (mkdirat(parent.fd.get(), base.c_str(), entry.mode & ~kSetIdBits) != 0) {
      return sysFailure("mkdirat", "make directory", errno);
    }
    fd.reset(openat(parent.fd.get(), base.c_str(), kFlags));
  }
  if (!fd) return sysFailure("openat", "make directory", errno);
  directories_.push_back({joinPath(parent.path, base), {entry.accessed, entry.modified}});
  if (existed) {
    if (Outcome dropped = dropAttributes(fd.get(), entry); !dropped) return dropped;
  }
  return applyMetadata(fd.get(), entry);
}

Outcome TreeWriter::makeHardLink(const TarEntry& entry, const Directory& parent,
                                 const std::string& base) {
  std::string target;
  NameKind kind = NameKind::kPlain;
  std::string hidden;
  if (Outcome normal = normalizePath(entry.link, limits_, target); !normal) {
    return refused(code::kHardLink,
                   "its target \"" + entry.link + "\": " + normal.failure().message);
  }
  if (!classifyPath(target, kind, hidden) || kind != NameKind::kPlain || target.empty()) {
    return refused(code::kHardLink, "its target \"" + entry.link + "\" cannot be linked to");
  }
  std::shared_ptr<Directory> from;
  if (Outcome opened = resolver_.open(std::string(parentOf(target)), false, from); !opened) {
    return opened.failure().code != code::kSyscall
               ? std::move(opened)
               : refused(code::kHardLink, "its target \"" + entry.link + "\" does not exist");
  }
  const std::string targetBase(baseOf(target));
  if (from->path == parent.path && targetBase == base) {
    return refused(code::kHardLink, "it links to itself");
  }
  const auto link = [&] {
    return linkat(from->fd.get(), targetBase.c_str(), parent.fd.get(), base.c_str(), 0) == 0;
  };
  if (link()) return {};
  if (errno == EEXIST) {
    if (Outcome cleared = clear(parent, base); !cleared) return cleared;
    if (link()) return {};
  }
  if (errno == ENOENT && standalone_) {
    return refused(code::kNeedsParent, "the layer does not have its target");
  }
  if (errno == ENOENT || errno == EPERM) {
    return refused(code::kHardLink, "its target \"" + entry.link + "\" " +
                                        (errno == ENOENT ? "does not exist" : "is a directory"));
  }
  return sysFailure("linkat", "make hard link", errno);
}

Outcome TreeWriter::makeSymlink(const TarEntry& entry, const Directory& parent,
                                const std::string& base) {
  if (entry.link.empty() || entry.link.size() > Limits::kPathBytes) {
    return refused(code::kBadTar, "the target of the link is empty or too long");
  }
  const auto link = [&] {
    return symlinkat(entry.link.c_str(), parent.fd.get(), base.c_str()) == 0;
  };
  if (!link()) {
    if (errno != EEXIST) return sysFailure("symlinkat", "make link", errno);
    if (Outcome cleared = clear(parent, base); !cleared) return cleared;
    if (!link()) return sysFailure("symlinkat", "make link", errno);
  }
  resolver_.noteLink(joinPath(parent.path, base), entry.link);
  return applyNodeMetadata(parent.fd.get(), base.c_str(), entry);
}

Outcome TreeWriter::makeNode(const TarEntry& entry, const Directory& parent,
                             const std::string& base) {
  const bool isCharacter = entry.type == EntryType::kCharacter;
  const mode_t type = isCharacter ? S_IFCHR : entry.type == EntryType::kBlock ? S_IFBLK : S_IFIFO;
  if (isCharacter && entry.deviceMajor == 0 && entry.deviceMinor == 0) {
    return refused(code::kDevice, "a character device 0:0 is how overlayfs hides files");
  }
  const dev_t device = type == S_IFIFO ? 0 : makedev(entry.deviceMajor, entry.deviceMinor);
  const auto make = [&] {
    return mknodat(parent.fd.get(), base.c_str(), type | entry.mode, device) == 0;
  };
  if (!make()) {
    if (errno != EEXIST) return sysFailure("mknodat", "make node", errno);
    if (Outcome cleared = clear(parent, base); !cleared) return cleared;
    if (!make()) return sysFailure("mknodat", "make node", errno);
  }
  return applyNodeMetadata(parent.fd.get(), base.c_str(), entry);
}

Outcome TreeWriter::finish() {
  for (auto item = directories_.rbegin(); item != directories_.rend(); ++item) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    const char* path = item->path.empty() ? "." : item->path.c_str();
    UniqueFd fd(static_cast<int>(syscall(SYS_openat2, rootFd_, path, &how, sizeof how)));
    // A later entry of the layer may have put something else in its place.
    if (!fd && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
    if (!fd) return std::move(sysFailure("openat2", "set times", errno)).at(item->path, 0);
    if (futimens(fd.get(), item->times) != 0) {
      return std::move(sysFailure("futimens", "set times", errno)).at(item->path, 0);
    }
  }
  return {};
}

}  // namespace teu::layer
