#include "pack/collect_pieces.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "layer/sha256.h"
#include "sys/unique_fd.h"

namespace teu::pack {
namespace {

Outcome mismatch(const Piece& piece, std::string actual) {
  return layer::Failure{.code = code::kMismatch,
                        .message = std::move(actual),
                        .step = "check a blob",
                        .entry = "sha256:" + piece.hex};
}

Outcome openBlob(int directory, const Piece& piece, UniqueFd& blob) {
  blob.reset(openat(directory, piece.hex.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (blob) return {};
  if (errno != ENOENT) return layer::sysFailure("openat", "open a blob", errno);
  return layer::Failure{.code = code::kMissing,
                        .message = "the blob is not there",
                        .step = "open a blob",
                        .entry = "sha256:" + piece.hex};
}

/// Reads up to `size` bytes; 0 at the end of the file.
Outcome readSome(int fd, std::uint8_t* data, std::size_t size, std::size_t& got) {
  ssize_t count = 0;
  do {
    count = read(fd, data, size);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return layer::sysFailure("read", "read a blob", errno);
  got = static_cast<std::size_t>(count);
  return {};
}

Outcome copyBlob(const Options& options, const Piece& piece, ChunkFiller& filler) {
  UniqueFd blob;
  if (Outcome opened = openBlob(options.blobs, piece, blob); !opened) return opened;
  posix_fadvise(blob.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  layer::Sha256 hash;
  std::uint64_t left = piece.size;
  while (left > 0) {
    const std::span<std::uint8_t> room = filler.room();
    if (room.empty()) return {};
    std::size_t got = 0;
    const std::size_t wanted = std::min<std::uint64_t>(room.size(), left);
    if (Outcome done = readSome(blob.get(), room.data(), wanted, got); !done) return done;
    if (got == 0) return mismatch(piece, "fewer bytes");
    hash.update(room.data(), got);
    filler.advance(got);
    left -= got;
  }
  std::uint8_t more = 0;
  std::size_t got = 0;
  if (Outcome done = readSome(blob.get(), &more, 1, got); !done) return done;
  if (got > 0) return mismatch(piece, "more bytes");
  std::string actual = hash.finish();
  if (actual != "sha256:" + piece.hex) return mismatch(piece, std::move(actual));
  return {};
}

Outcome copyText(PlanReader& plan, std::uint64_t left, ChunkFiller& filler) {
  while (left > 0) {
    const std::span<std::uint8_t> room = filler.room();
    if (room.empty()) return {};
    const std::size_t got = plan.read(room.data(), std::min<std::uint64_t>(room.size(), left));
    if (got == 0) return layer::refused(layer::code::kUsage, "the plan is cut off");
    filler.advance(got);
    left -= got;
  }
  return {};
}

}  // namespace

Outcome collectPieces(const Options& options, PlanReader& plan, ChunkFiller& filler) {
  for (;;) {
    Piece piece;
    if (Outcome read = plan.next(piece); !read) return read;
    if (piece.kind == Piece::Kind::kEnd) return {};
    Outcome copied = piece.kind == Piece::Kind::kText ? copyText(plan, piece.size, filler)
                                                      : copyBlob(options, piece, filler);
    if (!copied) return copied;
    if (filler.room().empty()) return {};
  }
}

}  // namespace teu::pack
