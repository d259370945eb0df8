#include "dm/requests.h"

#include <optional>

namespace teu::dm {
namespace {

using conversation::malformed;
using conversation::parseNumber;
using conversation::silent;

/// Words of a request that are all numbers.
std::optional<conversation::Values> numbersOf(const conversation::Words& words, std::size_t from,
                                              std::size_t to) {
  conversation::Values numbers;
  for (std::size_t index = from; index < to; ++index) {
    const std::optional<std::uint64_t> number = parseNumber(words[index]);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

template <typename Value>
Result<conversation::Values> one(Result<Value>&& found) {
  if (!found) return found.status();
  return conversation::Values{static_cast<std::uint64_t>(found.value())};
}

}  // namespace

std::string Requests::handle(std::string_view line) const {
  return conversation::answer(line, [this](const Words& words) { return run(words); });
}

Result<Requests::Values> Requests::run(const Words& words) const {
  const std::string_view verb = words.front();
  const std::string_view last = words.back();
  const bool hasMode = words.size() > 1 && (last == "ro" || last == "rw");
  const std::optional<Values> numbers = numbersOf(words, 1, words.size() - (hasMode ? 1 : 0));
  if (!numbers) return malformed();
  if (hasMode) return withMode(verb, *numbers, last == "ro");
  if (numbers->empty() || verb == "make-pool") return ofPool(verb, *numbers);
  return ofVolume(verb, *numbers);
}

Result<Requests::Values> Requests::withMode(std::string_view verb, const Values& numbers,
                                            bool readOnly) const {
  if (verb == "activate" && numbers.size() == 2) {
    return silent(pool_.activate(numbers[0], numbers[1], readOnly));
  }
  if (verb == "hold" && numbers.size() == 1) return one(volumes_.hold(numbers[0], readOnly));
  return malformed();
}

Result<Requests::Values> Requests::ofPool(std::string_view verb, const Values& numbers) const {
  if (verb == "make-pool" && numbers.size() == 3) {
    const PoolFiles files{
        .dataBytes = numbers[0], .metadataBytes = numbers[1], .lowBlocks = numbers[2]};
    return silent(pool_.make(directory_, files));
  }
  if (!numbers.empty()) return malformed();
  if (verb == "probe") return silent(pool_.probe());
  if (verb == "status") return status();
  if (verb == "drop-pool") return silent(pool_.drop());
  if (verb == "volumes") return listVolumes();
  if (verb == "active") return pool_.active();
  return malformed();
}

Result<Requests::Values> Requests::ofVolume(std::string_view verb, const Values& numbers) const {
  if (numbers.size() == 2) {
    if (verb == "snapshot") return silent(pool_.snapshot(numbers[0], numbers[1]));
    if (verb == "transaction") return silent(pool_.setTransaction(numbers[0], numbers[1]));
    if (verb == "discard") return silent(volumes_.discard(numbers[0], numbers[1]));
    if (verb == "limit") return silent(volumes_.limit(numbers[0], numbers[1]));
    return malformed();
  }
  if (numbers.size() != 1) return malformed();
  if (verb == "create") return silent(pool_.create(numbers[0]));
  if (verb == "delete") return silent(pool_.destroy(numbers[0]));
  if (verb == "own") return one(pool_.ownBlocks(numbers[0]));
  if (verb == "deactivate") return one(pool_.deactivate(numbers[0]));
  return ofFilesystem(verb, numbers);
}

Result<Requests::Values> Requests::ofFilesystem(std::string_view verb,
                                                const Values& numbers) const {
  const std::uint64_t id = numbers.front();
  if (verb == "opened") {
    Result<Node> node = pool_.node(id);
    if (!node) return node.status();
    return Values{static_cast<std::uint64_t>(node.value().openCount)};
  }
  if (verb == "measure") {
    Result<Figures> found = volumes_.measure(id);
    if (!found) return found.status();
    Result<std::uint64_t> mapped = pool_.mappedBytes(id);
    if (!mapped) return mapped.status();
    const Figures& now = found.value();
    return Values{now.totalBytes, now.usedBytes, now.inodes, mapped.value()};
  }
  if (verb == "settle") return silent(volumes_.settle(id));
  if (verb == "empty") return silent(volumes_.empty(id));
  if (verb == "unlimit") return silent(volumes_.unlimit(id));
  if (verb != "release") return malformed();
  volumes_.release(id);
  return Values{};
}

Result<Requests::Values> Requests::status() const {
  Result<PoolStatus> found = pool_.status();
  if (!found) return found.status();
  Result<PoolTable> table = pool_.table();
  if (!table) return table.status();
  const PoolStatus& now = found.value();
  return Values{now.transaction,
                now.usedMetadata,
                now.totalMetadata,
                now.usedData,
                now.totalData,
                table.value().blockSectors * 512,
                static_cast<std::uint64_t>(now.mode),
                now.isQueueing ? 1U : 0U,
                now.needsCheck ? 1U : 0U};
}

Result<Requests::Values> Requests::listVolumes() const {
  Result<std::vector<VolumeDetails>> found = pool_.volumes();
  if (!found) return found.status();
  Values values;
  values.reserve(found.value().size() * 3);
  for (const VolumeDetails& volume : found.value()) {
    values.insert(values.end(), {volume.id, volume.transaction, volume.mappedBlocks});
  }
  return values;
}

}  // namespace teu::dm
