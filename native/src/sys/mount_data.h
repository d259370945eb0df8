// What mount(2) is told beside the flags. The kernel takes one page of it and cuts the rest off
// without a word, which would leave out layers.
#pragma once

#include "sys/text.h"

namespace teu {

/// Options of one mount. If they are too long, the lower directories of an overlay are said
/// relative to the directory that all of them share; the caller has to stand in it.
class MountData {
 public:
  static constexpr size_t kCapacity = 4096;

  explicit MountData(const char* options) noexcept : options_(options) {
    if (textLength(options) < kCapacity) return;
    options_ = nullptr;
    shorten(options);
  }
  MountData(const MountData&) = delete;
  MountData& operator=(const MountData&) = delete;

  /// Null if the kernel cannot be told.
  const char* options() const noexcept { return options_; }
  /// Where to stand; empty for anywhere.
  const char* directory() const noexcept { return directory_.text(); }

 private:
  /// Where the text goes on after an unescaped `divider`, or its end.
  static size_t partEnd(const char* text, size_t at, char divider) noexcept {
    while (text[at] != '\0' && text[at] != divider) at += text[at] == '\\' && text[at + 1] ? 2 : 1;
    return at;
  }

  void shorten(const char* text) noexcept {
    size_t begin = 0;
    while (!startsWith(text + begin, "lowerdir=")) {
      begin = partEnd(text, begin, ',');
      if (text[begin++] == '\0') return;
    }
    begin += textLength("lowerdir=");
    const size_t end = partEnd(text, begin, ',');
    const size_t shared = sharedDirectory(TextView(text + begin, end - begin));
    if (shared == 0) return;
    directory_.add(TextView(text + begin, shared));
    shortened_.add(TextView(text, begin));
    for (size_t at = begin; at < end;) {
      const size_t next = at + pathEnd(TextView(text + at, end - at));
      shortened_.add(TextView(text + at + shared, next - at - shared));
      if (next < end) shortened_.add(":");
      at = next + 1;
    }
    shortened_.add(text + end);
    if (!shortened_.overflowed() && !directory_.overflowed()) options_ = shortened_.text();
  }

  static size_t pathEnd(TextView list) noexcept {
    size_t at = 0;
    while (at < list.size && list.data[at] != ':') at += list.data[at] == '\\' ? 2 : 1;
    return at < list.size ? at : list.size;
  }

  /// How much of all paths is the same, up to a slash; 0 if nothing can be made of it.
  static size_t sharedDirectory(TextView list) noexcept {
    size_t shared = pathEnd(list);
    for (size_t at = 0; at < list.size;) {
      const TextView rest(list.data + at, list.size - at);
      const size_t length = pathEnd(rest);
      size_t same = 0;
      while (same < shared && same < length && rest.data[same] == list.data[same]) ++same;
      shared = same;
      at += length + 1;
    }
    while (shared > 0 && list.data[shared - 1] != '/') --shared;
    for (size_t at = 0; at < shared; ++at) {
      // An escaped path would have to be read before it is a directory to stand in.
      if (list.data[at] == '\\') return 0;
    }
    return shared > 0 && list.data[0] == '/' ? shared : 0;
  }

  const char* options_;
  TextBuffer<kCapacity> directory_;
  TextBuffer<kCapacity> shortened_;
};

}  // namespace teu
