#include "init/loaded_plan.h"

#include "launch/plan_reader.h"
#include "sys/files.h"

namespace teu {
namespace {

constexpr int kEfbig = 27;
constexpr size_t kMaxPlanBytes = 16 * 1024 * 1024;
/// Lists of a plan never need more than this times its own size: the worst is a 4-byte text that
/// becomes a pointer.
constexpr size_t kArenaFactor = 16;

}  // namespace

Status loadPlan(UniqueFd&& file, LoadedPlan& loaded) noexcept {
  Result<sys::FileInfo> info = sys::fileInfo(file.get());
  if (!info) return info.status();
  const size_t size = info.value().size;
  if (size == 0 || size > kMaxPlanBytes) return brokenRule(kEfbig, "plan size");
  Result<Mapping> bytes = Mapping::ofFile(file.get(), size);
  if (!bytes) return bytes.status();
  Result<Mapping> lists = Mapping::ofMemory(size * kArenaFactor, Mapping::Sharing::kPrivate);
  if (!lists) return lists.status();
  loaded.bytes = static_cast<Mapping&&>(bytes.value());
  loaded.lists = static_cast<Mapping&&>(lists.value());
  Arena arena(loaded.lists.data(), loaded.lists.size());
  return readLaunchPlan(loaded.bytes.data(), size, arena, loaded.plan);
}

}  // namespace teu
