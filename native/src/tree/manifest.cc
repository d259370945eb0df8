#include "tree/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "layer/sha256.h"
#include "sys/unique_fd.h"
#include "tree/entry_line.h"

namespace teu::tree {
namespace {

constexpr const char* kStep = "read the manifest";

Outcome damaged(const char* what) {
  return Outcome(Failure{.code = code::kDamagedManifest, .message = what, .step = kStep});
}

std::string digestOf(std::string_view text) {
  layer::Sha256 hash;
  hash.update(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return hash.finish();
}

/// Takes a line without its line feed; an unfinished one counts as a line.
std::string_view takeLine(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

Manifest::~Manifest() {
  if (mapped_ != nullptr) munmap(mapped_, size_);
}

Outcome Manifest::open(const char* path, std::string_view digest) {
  const UniqueFd fd(::open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno == ENOENT ? damaged("it is missing") : sysFailure("open", kStep, errno);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) return sysFailure("fstat", kStep, errno);
  if (info.st_size == 0) return damaged("it is empty");
  size_ = static_cast<std::size_t>(info.st_size);
  // Populated now, so that a disk that cannot be read is an error and not a signal.
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (mapped == MAP_FAILED) return sysFailure("mmap", kStep, errno);
  mapped_ = mapped;
  if (madvise(mapped_, size_, MADV_POPULATE_READ) != 0 && errno != EINVAL) {
    return errno == EFAULT || errno == EIO ? damaged("it cannot be read")
                                           : sysFailure("madvise", kStep, errno);
  }
  rest_ = std::string_view(static_cast<const char*>(mapped_), size_);
  return verify(digest);
}

Outcome Manifest::verify(std::string_view digest) {
  if (rest_.back() != '\n') return damaged("its end is missing");
  const std::size_t last = rest_.rfind('\n', rest_.size() - 2);
  if (last == std::string_view::npos) return damaged("its end is missing");
  std::string_view end = rest_.substr(last + 1);
  rest_ = rest_.substr(0, last + 1);
  if (!end.starts_with(kManifestEnd)) return damaged("its end is missing");
  end.remove_prefix(kManifestEnd.size());
  const std::string_view stated = end.substr(0, end.find(' '));
  if (!digest.empty() && stated != digest) return damaged("it is not the one that was recorded");
  if (stated != digestOf(rest_)) return damaged("its digest is wrong");
  if (takeLine(rest_) != kManifestMark) return damaged("its version is unknown");
  while (!rest_.empty() && rest_[0] == kHeaderMark) takeLine(rest_);
  return {};
}

Outcome Manifest::next(EntryFacts& facts, bool& there) {
  there = !rest_.empty();
  if (!there) return {};
  return parseEntry(takeLine(rest_), facts) ? Outcome{} : damaged("a line is malformed");
}

}  // namespace teu::tree
