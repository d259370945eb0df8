// The control socket: one line for each request and one for each answer, of words separated by
// blanks, in which all that is not printable ASCII, and "%", "=" and blanks of paths, is
// percent-encoded.
//
//   ID VERB WORD...              ID: decimal number
//   ID ok WORD...
//   ID error ERRNO CALL STEP     STEP: the rest of the line
//
//   ping
//   branches                     -> PERM=PATH..., topmost first
//   set PERM=PATH...             replaces the list; answered when everybody sees it
//   add INDEX PERM=PATH          so that it has that index
//   del PATH
//   mod PERM=PATH                changes the permission
//   refresh                      branches were changed by others
//   reval on|off                 whether such changes are seen at once, from now on
//   stat                         -> NAME=NUMBER...
//   flush                        makes pseudo links real, and writes all to the disk
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "union/branch_changes.h"

namespace teu::unionfs {

class Control {
 public:
  explicit Control(FileSystem& files) noexcept : files_(files), changes_(files) {}

  /// Does what a line asks for, and returns the line to answer with.
  std::string handle(std::string_view line);

 private:
  using Words = std::vector<std::string>;
  Result<std::string> run(const std::string& verb, const Words& words);
  Result<std::string> runOne(const std::string& verb, const std::string& word);
  std::string describeBranches() const;
  std::string describeState();

  FileSystem& files_;
  BranchChanges changes_;
};

/// Serves the socket at `path`, to root alone, on a thread of its own for as long as the process
/// lives.
Status serveControl(const std::string& path, FileSystem& files);

}  // namespace teu::unionfs
