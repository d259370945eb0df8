#include "init/log_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "expect.h"

namespace {

/// A directory that is gone at the end.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    char name[] = "/tmp/teu-asan-XXXXXX";
    path_ = ::mkdtemp(name);
    fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY);
  }
  ~ScratchDirectory() {
    ::unlinkat(fd_, "log", 0);
    ::unlinkat(fd_, "log.1", 0);
    ::close(fd_);
    ::rmdir(path_.c_str());
  }
  int fd() const { return fd_; }

 private:
  std::string path_;
  int fd_;
};

void write(teu::LogStore& log, const std::string& text) {
  auto record = std::make_unique<teu::LogStore::Record>();
  std::memcpy(record->data, text.data(), text.size());
  log.append(*record, text.size(), teu::kLogStdout);
}

struct ReadBack {
  std::string text;
  int gaps = 0;
};

ReadBack readAll(teu::LogStore& log, uint64_t position) {
  ReadBack back;
  auto buffer = std::make_unique<uint8_t[]>(sizeof(teu::LogStore::Record));
  for (;;) {
    auto size = log.read(position, buffer.get(), sizeof(teu::LogStore::Record));
    expectThat(static_cast<bool>(size), "the log can be read");
    if (size.value() == 0) return back;
    for (size_t at = 0; at < size.value();) {
      teu::LogRecordHeader header;
      std::memcpy(&header, buffer.get() + at, sizeof header);
      if (header.flags & teu::kLogFlagGap) ++back.gaps;
      at += sizeof header;
      back.text.append(reinterpret_cast<char*>(buffer.get() + at), header.length);
      at += header.length;
    }
  }
}

void testRotation() {
  ScratchDirectory directory;
  teu::LogStore log(directory.fd(), 64 * 1024);
  std::string all;
  for (int line = 0; line < 4000; ++line) {
    const std::string text = "line " + std::to_string(line) + std::string(line % 97, '.') + "\n";
    all += text;
    write(log, text);
  }
  const ReadBack back = readAll(log, log.start());
  expectThat(log.start() > 0, "the log was rotated");
  expectThat(all.ends_with(back.text) && back.gaps == 0, "the kept part is the end of all");
  const ReadBack late = readAll(log, 0);
  expectThat(late.text == back.text && late.gaps == 1, "a late reader is told of the gap");
}

void testLargestRecords() {
  ScratchDirectory directory;
  teu::LogStore log(directory.fd(), 64 * 1024);
  for (int round = 0; round < 9; ++round) write(log, std::string(teu::kLogMaxData, 'x'));
  const size_t kept = readAll(log, log.start()).text.size();
  expectThat(kept % teu::kLogMaxData == 0 && kept > 0, "whole records only");
}

void testForeignFile() {
  ScratchDirectory directory;
  teu::LogStore log(directory.fd(), 64 * 1024);
  write(log, "hello\n");
  const int file = ::openat(directory.fd(), "log", O_WRONLY);
  expectThat(::pwrite(file, "garbage in the header", 21, 16) == 21, "damage done");
  ::close(file);
  uint64_t position = 0;
  std::vector<uint8_t> buffer(sizeof(teu::LogStore::Record));
  auto size = log.read(position, buffer.data(), buffer.size());
  expectThat(!size, "a damaged record is an error, not data");
}

}  // namespace

void testLogStore() {
  testRotation();
  testLargestRecords();
  testForeignFile();
}
