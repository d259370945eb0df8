#include "produce/names.h"

#include <algorithm>
#include <string_view>

namespace teu::produce {

std::string memberName(const std::string& path, bool isDirectory) {
  if (path == "/") return "./";
  return isDirectory ? path.substr(1) + '/' : path.substr(1);
}

Outcome checkPath(const std::string& path, const Options& options) {
  const auto depth = static_cast<std::uint64_t>(std::count(path.begin(), path.end(), '/'));
  // The slash in front is not there in the tar, but one behind and ".wh." may be.
  if (path.size() + std::string_view(kWhiteoutPrefix).size() > layer::Limits::kPathBytes ||
      depth > options.limits.depth) {
    return refused(layer::code::kLimit, "its path is too long or too deep").at(path, 0);
  }
  const std::string_view base = std::string_view(path).substr(path.rfind('/') + 1);
  if (options.form == Form::kLayer && base.starts_with(kWhiteoutPrefix)) {
    return refused(code::kReserved, "its name begins with \".wh.\", which in a layer hides a file")
        .at(path, 0);
  }
  return {};
}

bool isCarried(const tree::Attribute& attribute, tree::EntryType type) {
  const std::string_view name = attribute.name;
  if (name == "security.capability") return type == tree::EntryType::kFile;
  const bool isPlace = type == tree::EntryType::kFile || type == tree::EntryType::kDirectory;
  return isPlace && name.starts_with("user.") && !name.starts_with("user.overlay.") &&
         name.find('=') == std::string_view::npos;
}

}  // namespace teu::produce
