#include "btrfs/requests.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "btrfs/usage.h"

namespace teu::btrfs {
using conversation::malformed;
using conversation::parseNumber;
using conversation::silent;

std::string Requests::handle(std::string_view line) const {
  return conversation::answer(line, [this](const Arguments& words) { return run(words); });
}

Result<Requests::Values> Requests::run(const Arguments& words) const {
  const std::string_view verb = words.front();
  const Arguments rest(words.begin() + 1, words.end());
  if (verb == "sync" && rest.empty()) return silent(directory_.sync());
  if (verb == "settle") return settle(rest);
  const std::optional<SubvolumeName> name = rest.empty() ? std::nullopt : parseName(rest.front());
  if (!name) return malformed();
  return withName(verb, *name, Arguments(rest.begin() + 1, rest.end()));
}

Result<Requests::Values> Requests::withName(std::string_view verb, const SubvolumeName& name,
                                            const Arguments& rest) const {
  if (verb == "snapshot" && rest.size() == 2) {
    const std::optional<SubvolumeName> staged = parseName(rest.front());
    const std::optional<SubvolumeName> made = parseName(rest.back());
    if (!staged || !made) return malformed();
    return silent(directory_.snapshot(name, *staged, *made));
  }
  if (verb == "limit" && rest.size() == 1) return limit(name, rest.front());
  if (!rest.empty()) return malformed();
  if (verb == "create") return silent(directory_.create(name));
  if (verb == "destroy") return destroy(name);
  if (verb == "usage") return usage(name);
  if (verb == "quota") return quota(name);
  return malformed();
}

Result<std::vector<std::uint64_t>> Requests::familyOf(const SubvolumeName& name) const {
  Result<std::uint64_t> id = directory_.idOf(name);
  if (!id) return id.status();
  return directory_.familyOf(id.value());
}

Result<Requests::Values> Requests::destroy(const SubvolumeName& name) const {
  Result<Values> family = familyOf(name);
  if (!family) return family;
  if (const Status released = quota_.release(family.value()); !released) return released;
  if (const Status done = directory_.destroy(family.value()); !done) return done;
  return family;
}

Result<Requests::Values> Requests::settle(const Arguments& words) const {
  Values ids;
  for (const std::string_view word : words) {
    const std::optional<std::uint64_t> id = parseNumber(word);
    if (!id) return malformed();
    ids.push_back(*id);
  }
  if (ids.empty()) return malformed();
  const std::chrono::milliseconds limit(ids.front());
  ids.erase(ids.begin());
  Result<Values> left = directory_.awaitFreed(ids, limit);
  if (!left) return left;
  std::erase_if(ids, [&](std::uint64_t id) {
    return std::find(left.value().begin(), left.value().end(), id) != left.value().end();
  });
  if (const Status forgotten = quota_.forget(ids); !forgotten) return forgotten;
  return left;
}

Result<Requests::Values> Requests::usage(const SubvolumeName& name) const {
  if (const Status written = directory_.sync(); !written) return written;
  Result<Values> family = familyOf(name);
  if (!family) return family;
  Result<Usage> measured = measureUsage(directory_.fd(), family.value());
  if (!measured) return measured.status();
  return Values{measured.value().bytes, measured.value().inodes};
}

Result<Requests::Values> Requests::limit(const SubvolumeName& name, std::string_view text) const {
  const std::optional<std::uint64_t> bytes = parseNumber(text);
  if (!bytes) return malformed();
  Result<Values> family = familyOf(name);
  if (!family) return family;
  if (const Status limited = quota_.limit(family.value(), *bytes); !limited) return limited;
  return silent(directory_.endTransaction());
}

Result<Requests::Values> Requests::quota(const SubvolumeName& name) const {
  // Accounting is brought up to date at the end of a transaction, and sees what has its blocks.
  if (const Status written = directory_.sync(); !written) return written;
  Result<Values> family = familyOf(name);
  if (!family) return family;
  Result<std::optional<QuotaState>> found = quota_.look(family.value().back());
  if (!found) return found.status();
  if (found.value()) return Values{found.value()->limitBytes, found.value()->usedBytes};
  Result<Usage> measured = measureUsage(directory_.fd(), family.value());
  if (!measured) return measured.status();
  return Values{0, measured.value().bytes};
}

}  // namespace teu::btrfs
