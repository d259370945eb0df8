#include "produce/member_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "layer/limits.h"
#include "produce/names.h"
#include "produce/sparse_map.h"
#include "sys/unique_fd.h"

namespace teu::produce {
namespace {

constexpr const char* kStep = "read content";

char typeOf(tree::EntryType type) {
  switch (type) {
    case tree::EntryType::kDirectory:
      return tarType::kDirectory;
    case tree::EntryType::kLink:
      return tarType::kSymlink;
    case tree::EntryType::kCharacterDevice:
      return tarType::kCharacter;
    case tree::EntryType::kBlockDevice:
      return tarType::kBlock;
    case tree::EntryType::kPipe:
      return tarType::kFifo;
    default:
      return tarType::kFile;
  }
}

bool sameTime(const struct timespec& one, const struct timespec& other) {
  return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

/// Whether nobody has written to a file since it was opened, as far as its inode tells.
bool isUntouched(int fd, const struct stat& before) {
  struct stat now {};
  return fstat(fd, &now) == 0 && now.st_size == before.st_size &&
         sameTime(now.st_mtim, before.st_mtim) && sameTime(now.st_ctim, before.st_ctim);
}

}  // namespace

Outcome MemberWriter::describe(const std::string& path, const tree::EntryFacts& facts,
                               TarMember& member) const {
  if (Outcome fits = checkPath(path, options_); !fits) return fits;
  member = {.name = memberName(path, facts.type == tree::EntryType::kDirectory),
            .link = facts.type == tree::EntryType::kLink ? facts.target : "",
            .type = typeOf(facts.type),
            .mode = facts.mode,
            .uid = facts.uid,
            .gid = facts.gid,
            .seconds = facts.seconds,
            .nanoseconds = facts.nanoseconds,
            .major = facts.major,
            .minor = facts.minor};
  const bool isWhiteout =
      facts.type == tree::EntryType::kCharacterDevice && facts.major == 0 && facts.minor == 0;
  if (isWhiteout && options_.form == Form::kLayer) {
    return refused(layer::code::kDevice, "no layer can have a device 0:0").at(path, 0);
  }
  for (const tree::Attribute& attribute : facts.attributes) {
    if (isCarried(attribute, facts.type)) {
      member.attributes.emplace_back(attribute.name, attribute.value);
    }
  }
  return {};
}

Outcome MemberWriter::addHeader(const std::string& path, const TarMember& member) {
  if (++entries_ > options_.limits.entries) {
    return refused(layer::code::kLimit,
                   "there are more than " + std::to_string(options_.limits.entries) + " entries");
  }
  return output_.add(encodeHeader(member)).at(path, 0);
}

Outcome MemberWriter::writeEntry(const std::string& path, const char* name,
                                 const tree::EntryFacts& facts, bool& written) {
  TarMember member;
  if (Outcome described = describe(path, facts, member); !described) return described;
  if (facts.type == tree::EntryType::kFile) return writeFile(path, name, member, written);
  written = true;
  return addHeader(path, member);
}

Outcome MemberWriter::writeLink(const std::string& path, const std::string& first,
                                const tree::EntryFacts& facts) {
  TarMember member;
  if (Outcome described = describe(path, facts, member); !described) return described;
  member.type = tarType::kHardLink;
  member.link = memberName(first, false);
  member.major = 0;
  member.minor = 0;
  // They are those of the first name.
  member.attributes.clear();
  return addHeader(path, member);
}

Outcome MemberWriter::writeWhiteout(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(0, slash + 1) + kWhiteoutPrefix + path.substr(slash + 1);
  if (Outcome fits = checkPath(path, options_); !fits) return fits;
  return addHeader(path, {.name = memberName(name, false), .mode = 0});
}

Outcome MemberWriter::writeFile(const std::string& path, const char* name, TarMember& member,
                                bool& written) {
  const UniqueFd fd(openat(changed_.fd(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const bool mayVanish = options_.form == Form::kTree;
  if (!fd && mayVanish && errno == ENOENT) return {};
  if (!fd && errno == ENOENT) return changedMeanwhile(path);
  if (!fd) return failureAt("openat", kStep, path, errno);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return failureAt("fstat", kStep, path, errno);
  if (!S_ISREG(info.st_mode)) return changedMeanwhile(path);
  SparseMap map;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (Outcome mapped = mapFile(fd.get(), size, path, map); !mapped) return mapped;
  member.sparse = map.sparse;
  member.fileBytes = size;
  member.size = map.text.size() + map.dataBytes;
  if (Outcome added = addHeader(path, member); !added) return added;
  if (Outcome added = output_.add(map.text); !added) return added;
  for (const layer::Segment& segment : map.segments) {
    if (Outcome copied = copySegment(fd.get(), segment, path); !copied) return copied;
  }
  if (!mayVanish && !isUntouched(fd.get(), info)) return changedMeanwhile(path);
  contentBytes_ += size;
  written = true;
  return output_.addZeros(paddingOf(member.size));
}

Outcome MemberWriter::copySegment(int fd, const layer::Segment& segment, const std::string& path) {
  for (std::uint64_t done = 0; done < segment.length;) {
    std::span<std::uint8_t> piece;
    const std::uint64_t left = segment.length - done;
    if (Outcome found = output_.space(left, piece); !found) return found;
    const ssize_t count =
        pread(fd, piece.data(), piece.size(), static_cast<off_t>(segment.offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failureAt("pread", kStep, path, errno);
    // It became shorter; the header has promised its size.
    if (count == 0 && options_.form == Form::kLayer) return changedMeanwhile(path);
    if (count == 0) return output_.addZeros(left);
    if (Outcome taken = output_.filled(static_cast<std::size_t>(count)); !taken) return taken;
    done += static_cast<std::uint64_t>(count);
  }
  return {};
}

}  // namespace teu::produce
