#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teu::layer {

/// Builds one line of JSON: a flat object. Bytes that are not valid UTF-8 become U+FFFD.
class JsonLine {
 public:
  JsonLine& add(std::string_view key, std::string_view value);
  JsonLine& add(std::string_view key, std::uint64_t value);
  JsonLine& add(std::string_view key, const std::vector<std::string>& values);
  /// The object and a line feed.
  std::string finish() const { return "{" + members_ + "}\n"; }

 private:
  void addKey(std::string_view key);

  std::string members_;
};

}  // namespace teu::layer
