#include "sys/mount_data.h"

#include <string>

#include "expect.h"

namespace {

std::string layers(const std::string& directory, int count) {
  std::string list;
  for (int number = 0; number < count; ++number) {
    list += (number == 0 ? "" : ":") + directory + "/" + std::to_string(number) + "/fs";
  }
  return list;
}

const std::string kLong(60, 'd');

void testShort() {
  const std::string text = "ro,lowerdir=/a:/b";
  const teu::MountData data(text.c_str());
  expectThat(data.options() == text && *data.directory() == '\0', "what fits stays as it is");
}

void testLong() {
  const std::string rest = ",upperdir=/u/lowerdir=x,workdir=/w";
  const std::string text = "index=off,lowerdir=" + layers("/" + kLong, 100) + rest;
  const teu::MountData data(text.c_str());
  expectThat(data.options() != nullptr, "a long list is told");
  expectThat(data.directory() == "/" + kLong + "/", "from the directory that all share");
  const std::string seen = data.options();
  expectThat(seen.starts_with("index=off,lowerdir=0/fs:1/fs:2/fs:"), "relative to it");
  expectThat(seen.ends_with(":99/fs" + rest), "all of them, and the rest as it was");
}

void testDifferent() {
  const std::string text = "lowerdir=/" + kLong + "/ab/1:" + layers("/" + kLong + "/ac", 70);
  const teu::MountData data(text.c_str());
  expectThat(data.directory() == "/" + kLong + "/", "shared up to a slash only");
}

void testUntold() {
  const std::string escaped = "lowerdir=" + layers("/a\\:b" + kLong, 100);
  expectThat(teu::MountData(escaped.c_str()).options() == nullptr, "a shared path with escapes");
  const std::string relative = "lowerdir=" + layers("a" + kLong, 100);
  expectThat(teu::MountData(relative.c_str()).options() == nullptr, "relative paths");
  const std::string none = "size=" + std::string(5000, '1');
  expectThat(teu::MountData(none.c_str()).options() == nullptr, "no list to shorten");
  const std::string much = "lowerdir=" + layers("/" + kLong, 1000);
  expectThat(teu::MountData(much.c_str()).options() == nullptr, "more than a page all the same");
  const std::string torn = "lowerdir=/" + std::string(5000, 'x') + "\\";
  expectThat(teu::MountData(torn.c_str()).options() == nullptr, "a backslash at the end");
  const std::string kept = "lowerdir=" + layers("/" + kLong, 99) + ":/" + kLong + "/a\\:b";
  const std::string seen = teu::MountData(kept.c_str()).options();
  expectThat(seen.ends_with(":a\\:b"), "an escape beside what is shared");
}

}  // namespace

void testMountData() {
  testShort();
  testLong();
  testDifferent();
  testUntold();
}
