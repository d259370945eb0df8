#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "layer/tar_entry.h"
#include "produce/options.h"
#include "produce/ring_output.h"
#include "produce/tar_member.h"
#include "trees/difference.h"

namespace teu::produce {

/// Writes members of the tar: what a name of the changed tree is, with its content.
class MemberWriter {
 public:
  MemberWriter(const trees::Position& changed, const Options& options, RingOutput& output)
      : changed_(changed), options_(options), output_(output) {}

  /// `name` is in the directory where the position stands; `path` begins with a slash. `written`
  /// false if there is no such file any more and the form allows that.
  Outcome writeEntry(const std::string& path, const char* name, const tree::EntryFacts& facts,
                     bool& written);
  /// One more name of what was written under another path.
  Outcome writeLink(const std::string& path, const std::string& first,
                    const tree::EntryFacts& facts);
  /// Says that a name of the layers below is gone (image-spec, layer.md).
  Outcome writeWhiteout(const std::string& path);

  std::uint64_t entries() const noexcept { return entries_; }
  std::uint64_t contentBytes() const noexcept { return contentBytes_; }

 private:
  Outcome describe(const std::string& path, const tree::EntryFacts& facts, TarMember& member) const;
  Outcome addHeader(const std::string& path, const TarMember& member);
  Outcome writeFile(const std::string& path, const char* name, TarMember& member, bool& written);
  Outcome copySegment(int fd, const layer::Segment& segment, const std::string& path);

  const trees::Position& changed_;
  const Options& options_;
  RingOutput& output_;
  std::uint64_t entries_ = 0;
  std::uint64_t contentBytes_ = 0;
};

}  // namespace teu::produce
