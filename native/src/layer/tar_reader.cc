#include "layer/tar_reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "layer/pax_records.h"
#include "layer/tar_header.h"
#include "layer/tar_numbers.h"

namespace teu::layer {

/// What extension headers said about the member that follows them.
struct TarReader::Extensions {
  std::string paxBody;
  std::optional<std::string> longName;
  std::optional<std::string> longLink;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> realSize;
  bool sparseMapInData = false;
  bool sparseName = false;  ///< GNU.sparse.name holds the true name; path is only a stand-in
};

namespace {

std::uint64_t paddingOf(std::uint64_t size) noexcept {
  return (kBlockBytes - size % kBlockBytes) % kBlockBytes;
}

Outcome parseOwner(std::string_view value, std::uint32_t& owner) {
  std::int64_t number = 0;
  if (!parseDecimal(value, number) || number >= UINT32_MAX) {
    return refused(code::kBadTar, "a user or group id is out of range");
  }
  owner = static_cast<std::uint32_t>(number);
  return {};
}

/// "offset,length,offset,length..." of PAX sparse 0.1.
Outcome parseSparseList(std::string_view text, std::vector<Segment>& segments) {
  bool isLength = false;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::int64_t number = 0;
    if (!parseDecimal(text.substr(0, comma), number)) {
      return refused(code::kBadTar, "the sparse map is malformed");
    }
    if (isLength) {
      segments.back().length = static_cast<std::uint64_t>(number);
    } else {
      if (segments.size() >= Limits::kSparseSegments) {
        return refused(code::kLimit, "the sparse map has too many segments");
      }
      segments.push_back({static_cast<std::uint64_t>(number), 0});
    }
    isLength = !isLength;
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return isLength ? refused(code::kBadTar, "the sparse map is malformed") : Outcome{};
}

}  // namespace

Outcome TarReader::finishCurrent() {
  const std::uint64_t rest = dataLeft_ + padding_;
  dataLeft_ = 0;
  padding_ = 0;
  return stream_.skip(rest);
}

Outcome TarReader::data(std::uint64_t most, Bytes& bytes) {
  bytes = {};
  most = std::min(most, dataLeft_);
  if (most == 0) return {};
  if (Outcome viewed = stream_.view(most, bytes); !viewed) return viewed;
  stream_.advance(bytes.size());
  dataLeft_ -= bytes.size();
  return {};
}

Outcome TarReader::next(TarEntry& entry, bool& end) {
  if (Outcome finished = finishCurrent(); !finished) return finished;
  entry = {};
  entry.offset = stream_.offset();
  Extensions extensions;
  if (Outcome read = readHeaders(entry, extensions, end); !read) {
    return std::move(read).at(entry.name.empty() ? "(tar header)" : entry.name, entry.offset);
  }
  return {};
}

Outcome TarReader::readHeaders(TarEntry& entry, Extensions& extensions, bool& end) {
  end = false;
  for (bool isMember = false; !isMember;) {
    const std::uint8_t* block = nullptr;
    if (Outcome read = stream_.block(block); !read) return read;
    if (block == nullptr || isZeroBlock(block)) {
      end = true;
      if (!extensions.paxBody.empty() || extensions.longName || extensions.longLink) {
        return refused(code::kBadTar, "the tar ends after an extension header");
      }
      return {};
    }
    if (Outcome read = readHeader(block, entry, extensions, isMember); !read) return read;
  }
  if (Outcome applied = applyExtensions(entry, extensions); !applied) return applied;
  const bool hasData = entry.type == EntryType::kFile;
  if (!hasData) entry.dataBytes = 0;  // Sizes on links and directories are decoration.
  dataLeft_ = entry.dataBytes;
  padding_ = paddingOf(entry.dataBytes);
  if (extensions.sparseMapInData) {
    if (Outcome map = readSparseMap(entry); !map) return map;
  }
  return finishSparse(entry, extensions);
}

Outcome TarReader::readHeader(const std::uint8_t* block, TarEntry& entry, Extensions& extensions,
                              bool& isMember) {
  TarHeader header;
  if (Outcome parsed = parseTarHeader(block, header); !parsed) return parsed;
  std::string body;
  switch (header.type) {
    case 'x':
      if (Outcome read = readBody(header.size, body, extensions); !read) return read;
      extensions.paxBody += body;
      return {};
    case 'g':  // Defaults for all members: nothing in them concerns a layer.
      return readBody(header.size, body, extensions);
    case 'L':
    case 'K':
      if (Outcome read = readBody(header.size, body, extensions); !read) return read;
      body.resize(strnlen(body.c_str(), body.size()));
      (header.type == 'L' ? extensions.longName : extensions.longLink) = std::move(body);
      return {};
    default:
      break;
  }
  isMember = true;
  if (Outcome filled = fillEntry(header, entry); !filled) return filled;
  return header.type == 'S' ? readOldSparse(block, entry) : Outcome{};
}

Outcome TarReader::readBody(std::uint64_t size, std::string& body, Extensions& extensions) {
  extensions.bytes += size;
  if (size > limits_.headerBytes || extensions.bytes > limits_.headerBytes) {
    return refused(code::kLimit, "extension headers are larger than " +
                                     std::to_string(limits_.headerBytes) + " bytes");
  }
  body.reserve(size);
  while (body.size() < size) {
    Bytes bytes;
    if (Outcome viewed = stream_.view(size - body.size(), bytes); !viewed) return viewed;
    body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    stream_.advance(bytes.size());
  }
  return stream_.skip(paddingOf(size));
}

Outcome TarReader::applyExtensions(TarEntry& entry, Extensions& extensions) {
  if (extensions.longName) entry.name = *extensions.longName;
  if (extensions.longLink) entry.link = *extensions.longLink;
  std::vector<PaxRecord> records;
  if (Outcome parsed = parsePaxRecords(extensions.paxBody, records); !parsed) return parsed;
  for (const PaxRecord& record : records) {
    if (Outcome applied = applyRecord(record.key, record.value, entry, extensions); !applied) {
      return applied;
    }
  }
  if (entry.name.find('\0') != std::string::npos || entry.link.find('\0') != std::string::npos) {
    return refused(code::kBadTar, "a name holds a NUL byte");
  }
  return {};
}

Outcome TarReader::applyRecord(std::string_view key, std::string_view value, TarEntry& entry,
                               Extensions& extensions) {
  constexpr std::string_view kAttributePrefix = "SCHILY.xattr.";
  std::int64_t number = 0;
  if (key == "path") {
    if (!extensions.sparseName) entry.name = value;
  } else if (key == "GNU.sparse.name") {
    extensions.sparseName = true;
    entry.name = value;
  } else if (key == "linkpath") {
    entry.link = value;
  } else if (key == "uid") {
    return parseOwner(value, entry.uid);
  } else if (key == "gid") {
    return parseOwner(value, entry.gid);
  } else if (key == "mtime" || key == "atime") {
    if (!parsePaxTime(value, key == "mtime" ? entry.modified : entry.accessed)) {
      return refused(code::kBadTar, "a time is malformed");
    }
  } else if (key.starts_with(kAttributePrefix)) {
    if (entry.attributes.size() >= Limits::kAttributes || value.size() > Limits::kAttributeBytes) {
      return refused(code::kLimit, "extended attributes are too many or too large");
    }
    entry.attributes.push_back(
        {std::string(key.substr(kAttributePrefix.size())), std::string(value)});
  } else if (key == "GNU.sparse.map") {
    entry.sparse = true;
    return parseSparseList(value, entry.segments);
  } else if (key == "GNU.sparse.major" || key == "GNU.sparse.minor") {
    entry.sparse = true;
    if (key == "GNU.sparse.major") extensions.sparseMapInData = value == "1";
  } else if (key == "size" || key == "GNU.sparse.size" || key == "GNU.sparse.realsize") {
    if (!parseDecimal(value, number)) return refused(code::kBadTar, "a size is malformed");
    if (key == "size") {
      entry.dataBytes = static_cast<std::uint64_t>(number);
    } else {
      extensions.realSize = static_cast<std::uint64_t>(number);
    }
  } else if (key == "GNU.sparse.offset" || key == "GNU.sparse.numbytes") {
    entry.sparse = true;
    if (!parseDecimal(value, number)) return refused(code::kBadTar, "the sparse map is malformed");
    if (key == "GNU.sparse.offset") {
      if (entry.segments.size() >= Limits::kSparseSegments) {
        return refused(code::kLimit, "the sparse map has too many segments");
      }
      entry.segments.push_back({static_cast<std::uint64_t>(number), 0});
    } else if (!entry.segments.empty()) {
      entry.segments.back().length = static_cast<std::uint64_t>(number);
    }
  }
  return {};
}

Outcome TarReader::readOldSparse(const std::uint8_t* block, TarEntry& entry) {
  entry.sparse = true;
  std::int64_t realSize = 0;
  bool more = false;
  if (!parseOldSparseHeader(block, entry.segments, realSize, more)) {
    return refused(code::kBadTar, "the sparse map is malformed");
  }
  entry.fileBytes = static_cast<std::uint64_t>(realSize);
  while (more) {
    const std::uint8_t* extension = nullptr;
    if (Outcome read = stream_.block(extension); !read) return read;
    if (extension == nullptr) return refused(code::kBadTar, "the tar is cut off");
    if (!parseOldSparseExtension(extension, entry.segments, more)) {
      return refused(code::kBadTar, "the sparse map is malformed");
    }
    if (entry.segments.size() > Limits::kSparseSegments) {
      return refused(code::kLimit, "the sparse map has too many segments");
    }
  }
  return {};
}

/// PAX sparse 1.0: the map is decimal lines at the start of the data, padded to a block: count,
/// then offset, length...
Outcome TarReader::readSparseMap(TarEntry& entry) {
  std::string line;
  std::uint64_t consumed = 0;
  std::uint64_t linesLeft = 1;
  bool haveCount = false;
  std::vector<std::uint64_t> numbers;
  while (linesLeft > 0) {
    Bytes bytes;
    if (Outcome read = data(dataLeft_, bytes); !read) return read;
    if (bytes.empty()) return refused(code::kBadTar, "the sparse map is cut off");
    // Byte by byte over what is at hand; what follows the map's last block goes back by never being
    // taken.
    std::size_t at = 0;
    for (; at < bytes.size() && linesLeft > 0; ++at) {
      if (bytes[at] != '\n') {
        if (line.size() > 20) return refused(code::kBadTar, "the sparse map is malformed");
        line += static_cast<char>(bytes[at]);
        continue;
      }
      std::int64_t number = 0;
      if (!parseDecimal(line, number)) return refused(code::kBadTar, "the sparse map is malformed");
      line.clear();
      --linesLeft;
      if (haveCount) {
        numbers.push_back(static_cast<std::uint64_t>(number));
      } else {
        haveCount = true;
        if (number > static_cast<std::int64_t>(Limits::kSparseSegments)) {
          return refused(code::kLimit, "the sparse map has too many segments");
        }
        linesLeft = static_cast<std::uint64_t>(number) * 2;
      }
    }
    consumed += at;
    const std::uint64_t padding = linesLeft == 0 ? paddingOf(consumed) : 0;
    const std::uint64_t surplus = bytes.size() - at;
    if (linesLeft == 0 && surplus >= padding) {
      stream_.giveBack(surplus - padding);
      dataLeft_ += surplus - padding;
    } else if (linesLeft == 0) {
      return refused(code::kBadTar, "the sparse map is cut off");
    }
  }
  for (std::size_t at = 0; at + 1 < numbers.size(); at += 2) {
    entry.segments.push_back({numbers[at], numbers[at + 1]});
  }
  entry.dataBytes = dataLeft_;
  return {};
}

Outcome TarReader::finishSparse(TarEntry& entry, const Extensions& extensions) {
  if (!entry.sparse) {
    entry.fileBytes = entry.dataBytes;
    return {};
  }
  if (extensions.realSize) entry.fileBytes = *extensions.realSize;
  std::uint64_t end = 0;
  std::uint64_t sum = 0;
  for (const Segment& segment : entry.segments) {
    if (segment.offset < end || segment.length > INT64_MAX - segment.offset) {
      return refused(code::kBadTar, "the sparse map overlaps itself");
    }
    end = segment.offset + segment.length;
    sum += segment.length;
  }
  if (end > entry.fileBytes || sum != entry.dataBytes || entry.fileBytes > INT64_MAX) {
    return refused(code::kBadTar, "the sparse map does not fit the size of the file");
  }
  return {};
}

}  // namespace teu::layer
