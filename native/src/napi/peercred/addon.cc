// peercred.node: who is at the other end of a unix socket. An addon of its own so that services
// that start no containers need not load the one that can.
#include <napi.h>

#include "napi/shared/error_to_js.h"
#include "sys/sockets.h"

namespace teu {
namespace {

Napi::Value peerCredentials(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsNumber()) {
    throw Napi::TypeError::New(env, "peerCredentials(fd): fd must be a number");
  }
  Result<abi::PeerCredentials> peer = sys::peerCredentials(info[0].As<Napi::Number>().Int32Value());
  throwOnFailure(env, peer.status().during("peerCredentials"));
  Napi::Object result = Napi::Object::New(env);
  result.Set("pid", Napi::Number::New(env, peer.value().pid));
  result.Set("uid", Napi::Number::New(env, peer.value().uid));
  result.Set("gid", Napi::Number::New(env, peer.value().gid));
  return result;
}

Napi::Object exportAll(Napi::Env env, Napi::Object exports) {
  exports.Set("peerCredentials", Napi::Function::New(env, peerCredentials));
  return exports;
}

}  // namespace
}  // namespace teu

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  return teu::exportAll(env, exports);
}
NODE_API_MODULE(peercred, initialize)
