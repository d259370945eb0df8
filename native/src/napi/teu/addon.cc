// teu.node: the exports of ts/addon.ts, in its order. Arguments were validated there.
#include <napi.h>

#include <string>

#include "napi/shared/error_to_js.h"
#include "napi/teu/features.h"
#include "napi/teu/init_image.h"
#include "napi/teu/start_supervisor.h"

namespace teu {
namespace {

void prepareInit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) {
    throw Napi::TypeError::New(env, "prepareInit(path): path must be a string");
  }
  const std::string path = info[0].As<Napi::String>();
  const Status loaded = env.GetInstanceData<InitImage>()->load(path.c_str());
  throwOnFailure(env, loaded.on(path.c_str()).during("prepareInit"));
}

Napi::Value launch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsTypedArray() || !info[1].IsString()) {
    throw Napi::TypeError::New(env, "launch(plan, title): plan must be a Uint8Array");
  }
  const InitImage& image = *env.GetInstanceData<InitImage>();
  if (!image.loaded()) throw Napi::Error::New(env, "launch before prepareInit");
  const auto plan = info[0].As<Napi::Uint8Array>();
  const std::string title = info[1].As<Napi::String>();
  Result<StartedSupervisor> started =
      startSupervisor(image.fd(), plan.Data(), plan.ByteLength(), title.c_str());
  throwOnFailure(env, started.status().during("supervisor"));
  Napi::Object result = Napi::Object::New(env);
  result.Set("supervisorPid", Napi::Number::New(env, started.value().pid));
  result.Set("controlFd", Napi::Number::New(env, started.value().control.release()));
  return result;
}

Napi::Value reap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsNumber()) {
    throw Napi::TypeError::New(env, "reapSupervisor(pid): pid must be a number");
  }
  return Napi::Boolean::New(env, reapSupervisor(info[0].As<Napi::Number>().Int32Value()));
}

Napi::Value features(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  const FeatureList list = kernelFeatures();
  for (size_t index = 0; index < list.size; ++index) {
    const Feature& feature = list.data[index];
    result.Set(feature.name, Napi::Boolean::New(env, feature.present()));
  }
  return result;
}

}  // namespace
}  // namespace teu

static Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new teu::InitImage());
  exports.Set("prepareInit", Napi::Function::New(env, teu::prepareInit));
  exports.Set("launch", Napi::Function::New(env, teu::launch));
  exports.Set("reapSupervisor", Napi::Function::New(env, teu::reap));
  exports.Set("features", Napi::Function::New(env, teu::features));
  return exports;
}
NODE_API_MODULE(teu, initialize)
