#include "union/listing.h"

#include <dirent.h>

#include <unordered_set>

#include "union/directory_reader.h"
#include "union/names.h"

namespace teu::unionfs {

void Listing::add(std::string_view name, std::uint64_t number, std::uint8_t type) {
  entries_.push_back(
      {.number = number, .text = static_cast<std::uint32_t>(texts_.size()), .type = type});
  texts_.append(name).push_back('\0');
}

Status Listing::read(Tree& tree, Node* directory) {
  entries_.clear();
  texts_.clear();
  add(".", directory->number, DT_DIR);
  add("..", directory->number, DT_DIR);
  Result<ViewPointer> view = tree.viewOf(directory);
  // A removed directory that somebody is in is empty.
  if (!view) return view.error().number == ENOENT ? Status() : view.status();
  const std::vector<Part>& parts = view.value()->parts;
  const bool single = parts.size() == 1;
  std::unordered_set<std::string> known;
  for (const Part& part : parts) {
    std::vector<std::string> hidden;
    Status read = forEachName(part.fd.get(), [&](const DirectoryEntry& entry) -> Status {
      const std::string_view name = entry.name;
      if (isReserved(name)) {
        if (!single && part.branch->honoursWhiteouts() && !isMark(name)) {
          hidden.emplace_back(name.substr(kWhiteoutPrefix.size()));
        }
        return {};
      }
      if (!single && !known.emplace(name).second) return {};
      add(name, tree.numberOf(part.branch->device, entry.inode), entry.type);
      return {};
    });
    if (!read) return read;
    known.insert(std::make_move_iterator(hidden.begin()), std::make_move_iterator(hidden.end()));
  }
  return {};
}

}  // namespace teu::unionfs
