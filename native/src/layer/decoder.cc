#include "layer/decoder.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <string>

namespace teu::layer {
namespace {

// Windows above 128 MiB are refused: memory is asked for by the sender, not by us.
constexpr int kZstdWindowLogMax = 27;

class GzipDecoder final : public Decoder {
 public:
  explicit GzipDecoder(DecoderInput& input) : input_(input) {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;
  }

  Outcome read(std::span<std::uint8_t> into, std::size_t& got) override {
    state_.next_out = into.data();
    state_.avail_out = static_cast<std::uint32_t>(into.size());
    while (state_.avail_out > 0) {
      bool end = false;
      if (Outcome refilled = refill(end); !refilled) return refilled;
      if (end) break;
      const int answer = isal_inflate(&state_);
      if (answer != ISAL_DECOMP_OK && answer != ISAL_END_INPUT) {
        return refused(code::kBadCompression, "the gzip stream is damaged");
      }
    }
    got = into.size() - state_.avail_out;
    return {};
  }

 private:
  bool memberDone() const noexcept { return state_.block_state == ISAL_BLOCK_FINISH; }

  Outcome refill(bool& end) {
    if (state_.avail_in == 0 && !inputEnded_) {
      const Bytes data = input_.next();
      // It is not written to: isa-l lacks the word for that.
      state_.next_in = const_cast<std::uint8_t*>(data.data());
      state_.avail_in = static_cast<std::uint32_t>(data.size());
      inputEnded_ = data.empty();
    }
    if (memberDone() && state_.avail_in == 0) {
      end = true;
      return {};
    }
    if (memberDone()) {
      if (*state_.next_in != 0x1f) {
        return refused(code::kBadCompression, "bytes that are not gzip follow the gzip stream");
      }
      isal_inflate_reset(&state_);
      state_.crc_flag = ISAL_GZIP;
    }
    // Output may still be buffered inside; with neither input nor output left the stream is cut
    // off.
    if (inputEnded_ && stalled()) {
      return refused(code::kBadCompression, "the gzip stream is cut off");
    }
    return {};
  }

  bool stalled() noexcept {
    const bool same = lastOut_ == state_.total_out && lastBits_ == state_.read_in_length;
    lastOut_ = state_.total_out;
    lastBits_ = state_.read_in_length;
    return same;
  }

  DecoderInput& input_;
  inflate_state state_{};
  bool inputEnded_ = false;
  std::uint32_t lastOut_ = ~std::uint32_t{0};
  std::int32_t lastBits_ = -1;
};

class ZstdDecoder final : public Decoder {
 public:
  explicit ZstdDecoder(DecoderInput& input) : input_(input), context_(ZSTD_createDCtx()) {
    ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kZstdWindowLogMax);
  }
  ~ZstdDecoder() override { ZSTD_freeDCtx(context_); }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;

  Outcome read(std::span<std::uint8_t> into, std::size_t& got) override {
    ZSTD_outBuffer out{into.data(), into.size(), 0};
    while (out.pos < out.size) {
      if (in_.pos == in_.size && !inputEnded_) {
        const Bytes data = input_.next();
        in_ = {data.data(), data.size(), 0};
        inputEnded_ = data.empty();
      }
      if (in_.pos == in_.size && frameDone_) break;
      const std::size_t before = out.pos;
      const std::size_t answer = ZSTD_decompressStream(context_, &out, &in_);
      if (ZSTD_isError(answer)) {
        return refused(code::kBadCompression, std::string("zstd: ") + ZSTD_getErrorName(answer));
      }
      frameDone_ = answer == 0;
      if (inputEnded_ && !frameDone_ && out.pos == before) {
        return refused(code::kBadCompression, "the zstd stream is cut off");
      }
    }
    got = out.pos;
    return {};
  }

 private:
  DecoderInput& input_;
  ZSTD_DCtx* context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool inputEnded_ = false;
  bool frameDone_ = false;
};

}  // namespace

std::string_view compressionName(Compression compression) noexcept {
  switch (compression) {
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
    case Compression::kNone:
      return "none";
    case Compression::kAuto:
      break;
  }
  return "auto";
}

Compression compressionOf(std::span<const std::uint8_t> start) noexcept {
  if (start.size() >= 2 && start[0] == 0x1f && start[1] == 0x8b) return Compression::kGzip;
  if (start.size() >= 4 && start[1] == 0xb5 && start[2] == 0x2f && start[3] == 0xfd &&
      start[0] == 0x28) {
    return Compression::kZstd;
  }
  // Skippable frame: 0x184D2A5? in little endian.
  if (start.size() >= 4 && (start[0] & 0xf0) == 0x50 && start[1] == 0x2a && start[2] == 0x4d &&
      start[3] == 0x18) {
    return Compression::kZstd;
  }
  return Compression::kNone;
}

std::unique_ptr<Decoder> makeDecoder(Compression compression, DecoderInput& input) {
  if (compression == Compression::kGzip) return std::make_unique<GzipDecoder>(input);
  return std::make_unique<ZstdDecoder>(input);
}

}  // namespace teu::layer
