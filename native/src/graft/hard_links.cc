#include "graft/hard_links.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys/unique_fd.h"

namespace teu::graft {
namespace {

using tree::failureAt;
using tree::Outcome;

constexpr const char* kStep = "make hard link";

/// Opens the directory of a path, name by name: the whole may be longer than the kernel takes.
UniqueFd openParent(int root, const std::string& path) {
  constexpr int kOpen = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(openat(root, ".", kOpen));
  for (std::size_t at = 1, end = path.find('/', at); fd && end != std::string::npos;
       at = end + 1, end = path.find('/', at)) {
    UniqueFd below(openat(fd.get(), path.substr(at, end - at).c_str(), kOpen));
    fd = std::move(below);
  }
  return fd;
}

}  // namespace

Outcome HardLinks::link(const struct statx& file, int directory, const char* name,
                        const std::string& path, bool& linked) {
  linked = false;
  const auto found = copies_.find(keyOf(file));
  if (found == copies_.end()) return {};
  const std::string& first = found->second.path;
  const UniqueFd parent = openParent(root_, first);
  if (!parent) return failureAt("openat", kStep, path, errno);
  const std::string base = first.substr(first.rfind('/') + 1);
  linked = linkat(parent.get(), base.c_str(), directory, name, 0) == 0;
  if (!linked && errno != EMLINK) return failureAt("linkat", kStep, path, errno);
  if (!linked || --found->second.namesLeft == 0) copies_.erase(found);
  return {};
}

void HardLinks::remember(const struct statx& file, const std::string& path) {
  if (file.stx_nlink < 2) return;
  copies_[keyOf(file)] = {.path = path, .namesLeft = file.stx_nlink - 1};
}

}  // namespace teu::graft
