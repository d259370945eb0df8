#include "union/notifier.h"

#include <sys/uio.h>

#include <utility>

#include "union/fuse_abi.h"

namespace teu::unionfs {
namespace {

/// All of the content; a negative offset means attributes alone.
constexpr std::int64_t kAll = 0;
constexpr std::int64_t kAttributes = -1;

template <typename Body>
void send(int device, fuse_notify_code code, Body& body, const std::string& name) {
  fuse_out_header header{};
  header.error = code;
  const std::size_t text = name.empty() ? 0 : name.size() + 1;
  header.len = static_cast<std::uint32_t>(sizeof header + sizeof body + text);
  const iovec parts[3] = {{.iov_base = &header, .iov_len = sizeof header},
                          {.iov_base = &body, .iov_len = sizeof body},
                          {.iov_base = const_cast<char*>(name.c_str()), .iov_len = text}};
  // ENOENT: the kernel does not know the node any more, which is as good.
  (void)!writev(device, parts, text == 0 ? 2 : 3);
}

}  // namespace

void Notifier::start(int device) {
  device_ = device;
  std::thread([this] { run(); }).detach();
}

void Notifier::add(Message message) {
  const std::lock_guard guard(mutex_);
  waiting_.push_back(std::move(message));
  added_.notify_one();
}

void Notifier::expireLater(std::uint64_t parent, std::string name) {
  add({.node = parent, .name = std::move(name)});
}

void Notifier::refreshLater(std::uint64_t node) {
  add({.node = node});
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    added_.wait(lock, [this] { return !waiting_.empty(); });
    const Message message = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    tell(message);
    lock.lock();
  }
}

void Notifier::tell(const Message& message) const {
  if (message.name.empty()) {
    refresh(message.node);
  } else {
    expire(message.node, message.name);
  }
}

void Notifier::expire(std::uint64_t parent, const std::string& name) const {
  fuse_notify_inval_entry_out body{};
  body.parent = parent;
  body.namelen = static_cast<std::uint32_t>(name.size());
  // Only expired, not dropped: what is mounted there stays mounted.
  body.flags = FUSE_EXPIRE_ONLY;
  send(device_, FUSE_NOTIFY_INVAL_ENTRY, body, name);
}

void Notifier::invalidate(std::uint64_t node, std::int64_t offset) const {
  fuse_notify_inval_inode_out body{};
  body.ino = node;
  body.off = offset;
  send(device_, FUSE_NOTIFY_INVAL_INODE, body, {});
}

void Notifier::refresh(std::uint64_t node) const {
  invalidate(node, kAttributes);
}

void Notifier::forgetContent(std::uint64_t node) const {
  invalidate(node, kAll);
}

}  // namespace teu::unionfs
