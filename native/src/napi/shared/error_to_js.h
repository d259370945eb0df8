#pragma once

#include <napi.h>

#include "sys/result.h"

namespace teu {

/// The one place where a native failure becomes a JavaScript error: an Error with the fields
/// `errno` (negative), `syscall`, `step` and `path`, which ts/call-native.ts turns into a
/// NativeError.
[[noreturn]] void throwToJs(Napi::Env env, const SysError& error);

inline void throwOnFailure(Napi::Env env, const Status& status) {
  if (!status) throwToJs(env, status.error());
}

}  // namespace teu
