#include "layer/sha256.h"

// The one-shot-free interface of OpenSSL 1.1 instead of EVP: EVP pulls the whole of libcrypto (5
// MB) into a static program and needs 2 ms to set itself up; these three functions are one object
// file.
#define OPENSSL_API_COMPAT 0x10101000L
#include <openssl/sha.h>

namespace teu::layer {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}

Sha256::~Sha256() = default;

void Sha256::update(const std::uint8_t* data, std::size_t size) noexcept {
  SHA256_Update(&state_->context, data, size);
}

std::string Sha256::finish() {
  static constexpr char kHex[] = "0123456789abcdef";
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256_Final(digest, &state_->context);
  std::string text = "sha256:";
  for (const std::uint8_t byte : digest) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

}  // namespace teu::layer
