#include "napi/shared/error_to_js.h"

#include <string>

namespace teu {

void throwToJs(Napi::Env env, const SysError& error) {
  const std::string message = std::string(error.step) + ": " + error.syscall;
  Napi::Error failure = Napi::Error::New(env, message);
  failure.Set("errno", Napi::Number::New(env, -error.number));
  failure.Set("syscall", Napi::String::New(env, error.syscall));
  failure.Set("step", Napi::String::New(env, error.step));
  failure.Set("path", Napi::String::New(env, error.path));
  throw failure;
}

}  // namespace teu
