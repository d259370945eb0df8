// What the kernel says of a thin pool, in words (Documentation/admin-guide/device-mapper/
// thin-provisioning.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dm/device_mapper.h"

namespace teu::dm {

/// How much a pool can still do, the best first.
enum class PoolMode : std::uint64_t { writable, noSpace, readOnly, failed };

struct PoolStatus {
  std::uint64_t transaction = 0;
  std::uint64_t usedMetadata = 0;   ///< blocks of 4096 bytes
  std::uint64_t totalMetadata = 0;  ///< blocks of 4096 bytes
  std::uint64_t usedData = 0;       ///< blocks of the pool
  std::uint64_t totalData = 0;      ///< blocks of the pool
  std::uint64_t heldRoot = 0;       ///< block of the snapshot of the metadata; 0 for none
  PoolMode mode = PoolMode::writable;
  bool isQueueing = false;  ///< who finds it full waits, instead of getting an error
  bool needsCheck = false;
};

struct PoolTable {
  DeviceNumber metadata;
  DeviceNumber data;
  std::uint64_t blockSectors = 0;
};

/// Reads a line of status; nothing if it is none of a pool that works.
std::optional<PoolStatus> parsePoolStatus(std::string_view text);
/// Reads a line of a table.
std::optional<PoolTable> parsePoolTable(std::string_view text);

}  // namespace teu::dm
