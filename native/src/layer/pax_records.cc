#include "layer/pax_records.h"

#include "layer/tar_numbers.h"

namespace teu::layer {

Outcome parsePaxRecords(std::string_view body, std::vector<PaxRecord>& records) {
  while (!body.empty()) {
    const std::size_t space = body.find(' ');
    std::int64_t length = 0;
    if (space == std::string_view::npos || space > 10 ||
        !parseDecimal(body.substr(0, space), length) ||
        static_cast<std::uint64_t>(length) > body.size() ||
        static_cast<std::uint64_t>(length) < space + 3) {
      return refused(code::kBadTar, "a PAX record has a wrong length");
    }
    const std::string_view record =
        body.substr(space + 1, static_cast<std::size_t>(length) - space - 1);
    const std::size_t equals = record.find('=');
    if (record.back() != '\n' || equals == std::string_view::npos || equals == 0) {
      return refused(code::kBadTar, "a PAX record is malformed");
    }
    records.push_back(
        {record.substr(0, equals), record.substr(equals + 1, record.size() - equals - 2)});
    body.remove_prefix(static_cast<std::size_t>(length));
  }
  return {};
}

}  // namespace teu::layer
