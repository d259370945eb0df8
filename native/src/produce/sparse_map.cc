#include "produce/sparse_map.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "layer/limits.h"
#include "produce/tar_member.h"

namespace teu::produce {
namespace {

constexpr std::uint64_t kLeastBytes = 1 << 20;
constexpr std::uint64_t kRunBytes = 64 * 1024;
constexpr std::uint64_t kSamples = 64;
constexpr std::uint64_t kSampleBytes = 4096;

bool isZero(const char* data, std::size_t size) {
  return size == 0 || (data[0] == 0 && std::memcmp(data, data + 1, size - 1) == 0);
}

/// What lies behind the end reads as zeros: a file that shrinks is found out when it is written.
Outcome readAt(int fd, std::vector<char>& buffer, std::uint64_t offset, const std::string& path) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count =
        pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failureAt("pread", "read content", path, errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  std::fill(buffer.begin() + static_cast<std::ptrdiff_t>(done), buffer.end(), '\0');
  return {};
}

Outcome seemsSparse(int fd, std::uint64_t size, const std::string& path, bool& seems) {
  std::vector<char> sample(kSampleBytes);
  std::uint64_t zeros = 0;
  const std::uint64_t stride = size / kSamples / kSampleBytes * kSampleBytes;
  for (std::uint64_t at = 0; at < kSamples; ++at) {
    if (Outcome read = readAt(fd, sample, at * stride, path); !read) return read;
    if (isZero(sample.data(), sample.size())) ++zeros;
  }
  seems = zeros >= kSamples / 4;
  return {};
}

/// Begin of the run in which the next stored data lie: holes need not be read.
std::uint64_t skipHole(int fd, std::uint64_t at, std::uint64_t size) {
  const off_t data = lseek(fd, static_cast<off_t>(at), SEEK_DATA);
  if (data < 0) return errno == ENXIO ? size : at;
  return std::max(at, static_cast<std::uint64_t>(data) / kRunBytes * kRunBytes);
}

Outcome findSegments(int fd, std::uint64_t size, const std::string& path, SparseMap& map) {
  std::vector<char> run(kRunBytes);
  for (std::uint64_t at = skipHole(fd, 0, size); at < size; at = skipHole(fd, at, size)) {
    if (Outcome read = readAt(fd, run, at, path); !read) return read;
    const std::uint64_t length = std::min(kRunBytes, size - at);
    if (!isZero(run.data(), static_cast<std::size_t>(length))) {
      std::vector<layer::Segment>& found = map.segments;
      const bool goesOn = !found.empty() && found.back().offset + found.back().length == at;
      if (goesOn) {
        found.back().length += length;
      } else {
        found.push_back({at, length});
      }
      map.dataBytes += length;
    }
    at += length;
  }
  return {};
}

/// The end of the file is told by an empty segment, as GNU tar does.
void writeText(std::uint64_t size, SparseMap& map) {
  const bool endsInData =
      !map.segments.empty() && map.segments.back().offset + map.segments.back().length == size;
  if (!endsInData) map.segments.push_back({size, 0});
  map.text = std::to_string(map.segments.size()) + '\n';
  for (const layer::Segment& segment : map.segments) {
    map.text += std::to_string(segment.offset) + '\n' + std::to_string(segment.length) + '\n';
  }
  map.text.append(paddingOf(map.text.size()), '\0');
}

}  // namespace

Outcome mapFile(int fd, std::uint64_t size, const std::string& path, SparseMap& map) {
  map = {};
  bool seems = false;
  if (size >= kLeastBytes) {
    if (Outcome read = seemsSparse(fd, size, path, seems); !read) return read;
  }
  if (seems) {
    if (Outcome read = findSegments(fd, size, path, map); !read) return read;
    const std::uint64_t zeros = size - map.dataBytes;
    map.sparse = zeros >= kLeastBytes && zeros >= size / 2 &&
                 map.segments.size() < layer::Limits::kSparseSegments;
  }
  if (map.sparse) {
    writeText(size, map);
  } else {
    map.segments = {{0, size}};
    map.dataBytes = size;
  }
  return {};
}

}  // namespace teu::produce
